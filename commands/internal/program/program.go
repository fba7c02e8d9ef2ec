// Package program is the name and the build of the program, for messages, logs and requests.
package program

import (
	"runtime"
	"runtime/debug"
	"strings"
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
	Date    string `json:"-"` // of the commit, as 2006-01-02; empty if unknown
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
		case s.Key == "vcs.time":
			b.Date, _, _ = strings.Cut(s.Value, "T")
		case s.Key == "vcs.modified" && s.Value == "true":
			b.Commit += " with changes"
		}
	}
	return b
}
