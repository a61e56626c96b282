//go:build tools

// Package tools pins Pulumi's Node.js language host, so that "go build" of it needs nothing but go.mod and go.sum.
package tools

import _ "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs"
