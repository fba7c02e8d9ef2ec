// Package program is how the program is called and how it was built; messages, logs and requests name it.
package program

import (
	"runtime"
	"runtime/debug"
)

// Name is how the program calls itself.
const Name = "elastic-ingest"

// Version is set when the program is linked; without that, the module's version stands in.
var Version string

// Build is what is known of how the program was built.
type Build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
}

// This is that of the program that runs.
func This() Build {
	b := Build{Version: Version, Commit: "unknown", Go: runtime.Version()}
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
