// Package program is the name and the build of the program, for messages, logs and requests.
package program

import (
	"runtime"
	"runtime/debug"
)

// Name is the name of the program.
const Name = "elastic-ingest"

// Version is set when the program is linked; otherwise the module's version is used.
var Version string

// Build describes how the program was built.
type Build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
}

// This is the build of the running program.
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
