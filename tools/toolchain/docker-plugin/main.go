// Command pulumi-resource-docker is Pulumi's docker plugin as far as Stagecraft needs it:
// the Terraform provider behind Pulumi's bridge, with the type tokens of the npm package
// @pulumi/docker. Its native docker:index/image:Image is not part of it.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfgen"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
)

// version is set by the linker.
var version = "0.0.0"

func main() {
	// Making the schema takes longer than starting the plugin, and the engine rarely asks for it:
	// so it is made once, when the plugin is packed, and lies beside the executable.
	if len(os.Args) == 2 && os.Args[1] == "schema" {
		if err := printSchema(os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	tfbridge.Main("docker", version, provider(), readSchema())
}

func printSchema(out io.Writer) error {
	sink := diag.DefaultSink(io.Discard, os.Stderr, diag.FormatOptions{Color: colors.Never})
	schema, err := tfgen.GenerateSchema(provider(), sink)
	if err != nil {
		return err
	}
	schema.Version = version
	return json.NewEncoder(out).Encode(schema)
}

func readSchema() []byte {
	executable, err := os.Executable()
	if err != nil {
		return nil
	}
	schema, err := os.ReadFile(filepath.Join(filepath.Dir(executable), "schema.json"))
	if err != nil {
		return nil
	}
	return schema
}
