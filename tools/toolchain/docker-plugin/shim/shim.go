// Package shim opens the Terraform provider's internal package: Go lets only
// modules below its path import it, and this one is.
package shim

import (
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// NewProvider returns the Docker provider in the form the Pulumi bridge takes.
func NewProvider(version string) *schema.Provider {
	return provider.New(version)()
}
