// Package program is how the program is called and how it was built; messages, logs and requests name it.
package commands

import (
	"runtime"
	"runtime/debug"
)

// Program is how the program calls itself.
const Program = "elastic-ingest"

// Version is set when the program is linked; without that, the module's version stands in.
var Version string

// build is what is known of how the program was built.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
}

// thisBuild is that of the program that runs.
func thisBuild() build {
	b := build{Version: Version, Commit: "unknown", Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if b.Version == "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			b.Commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			b.Commit += " with changes"
		}
	}
	return b
}
