package main

import (
	"strings"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/terraform-providers/terraform-provider-docker/shim"
)

// resourceNames maps Terraform's names to those of the classes in @pulumi/docker.
var resourceNames = map[string]string{
	"docker_buildx_builder": "BuildxBuilder",
	"docker_config":         "ServiceConfig",
	"docker_container":      "Container",
	"docker_image":          "RemoteImage",
	"docker_network":        "Network",
	"docker_plugin":         "Plugin",
	"docker_registry_image": "RegistryImage",
	"docker_secret":         "Secret",
	"docker_service":        "Service",
	"docker_tag":            "Tag",
	"docker_volume":         "Volume",
}

// functionNames maps Terraform's data sources to the functions of @pulumi/docker.
var functionNames = map[string]string{
	"docker_image":                    "getRemoteImage",
	"docker_logs":                     "getLogs",
	"docker_network":                  "getNetwork",
	"docker_plugin":                   "getPlugin",
	"docker_registry_image":           "getRegistryImage",
	"docker_registry_image_manifests": "getRegistryImageManifests",
}

// token makes "docker:index/remoteImage:RemoteImage" of "RemoteImage".
func token(name string) string {
	return "docker:index/" + strings.ToLower(name[:1]) + name[1:] + ":" + name
}

func provider() tfbridge.ProviderInfo {
	info := tfbridge.ProviderInfo{
		P:          shimv2.NewProvider(shim.NewProvider(version)),
		Name:       "docker",
		Version:    version,
		License:    "Apache-2.0",
		Repository: "https://github.com/pulumi/pulumi-docker",
		GitHubOrg:  "kreuzwerker",
		Config: map[string]*tfbridge.SchemaInfo{
			"host": {Default: &tfbridge.DefaultInfo{
				Value:   "unix:///var/run/docker.sock",
				EnvVars: []string{"DOCKER_HOST"},
			}},
			"registry_auth": {Name: "registryAuth", MaxItemsOne: tfbridge.False()},
		},
		Resources:   map[string]*tfbridge.ResourceInfo{},
		DataSources: map[string]*tfbridge.DataSourceInfo{},
	}
	for terraformName, name := range resourceNames {
		info.Resources[terraformName] = &tfbridge.ResourceInfo{Tok: tokens.Type(token(name))}
	}
	for terraformName, name := range functionNames {
		info.DataSources[terraformName] = &tfbridge.DataSourceInfo{Tok: tokens.ModuleMember(token(name))}
	}

	// Two containers cannot have the same name or the same host port at one time.
	container := info.Resources["docker_container"]
	container.DeleteBeforeReplace = true
	container.Fields = map[string]*tfbridge.SchemaInfo{
		"command":           {Name: "command"},
		"networks_advanced": {Name: "networksAdvanced"},
	}
	// An image's name is what it is, and is never made up.
	info.Resources["docker_image"].Fields = map[string]*tfbridge.SchemaInfo{"name": {Name: "name"}}

	info.SetAutonaming(255, "-")
	return info
}
