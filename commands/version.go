package commands

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"
)

// Version is set when the program is linked; without that, the module's version stands in.
var Version string

// build is what is known of how the program was built.
type build struct {
	Schema  int    `json:"schema"`
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
}

func thisBuild() build {
	b := build{Schema: 1, Version: Version, Commit: "unknown", Go: runtime.Version()}
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

func newVersion(a *App) *cli.Command {
	return &cli.Command{
		Name:        "version",
		Usage:       "print version, commit and the version of Go",
		Description: "Prints what this program is built of. The flag --version does the same.",
		UsageText:   "elastic-ingest version\nelastic-ingest version -o json",
		Flags:       []cli.Flag{outputFlag("`text|json`: lines, or one JSON object")},
		Action: func(c *cli.Context) error {
			if _, err := readGlobals(c); err != nil {
				return err
			}
			if err := oneOf("output", c.String("output"), []string{asText, asJSON}); err != nil {
				return err
			}
			b := thisBuild()
			if c.String("output") == asJSON {
				return a.writeOut(jsonLine(b))
			}
			return a.writeOut(fmt.Sprintf("%s %s\ncommit %s\n%s\n", Program, b.Version, b.Commit, b.Go))
		},
	}
}
