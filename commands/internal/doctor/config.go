package doctor

import (
	"fmt"
	"os"
	"runtime"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/records"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
)

// configuration reports which file was read, its warnings, and who may read its secrets.
func (x *examination) configuration() {
	x.out.say("", checkConfig, engine.StatusOK, "configuration "+x.cfg.File+", "+x.howFound(), "")
	if x.cfg.Dotenv != "" {
		x.out.say("", checkConfig, engine.StatusNote, "variables also come from "+x.cfg.Dotenv, "")
		x.readers(x.cfg.Dotenv, "can hold secrets")
	}
	for _, w := range x.cfg.Warnings {
		x.out.say("", checkConfig, engine.StatusWarning, w, "")
	}
	for i := range x.cfg.Origins {
		if o := &x.cfg.Origins[i]; o.Written && x.secret(o) {
			x.readers(x.cfg.File, fmt.Sprintf("holds a secret (%s)", o.Key))
			return
		}
	}
}

func (x *examination) howFound() string {
	if x.o.ConfigFile != "" {
		return "named with --config-file"
	}
	return "found without --config-file"
}

// readers reports a file that every user of this machine can read.
func (x *examination) readers(file, holds string) {
	info, err := os.Stat(file)
	if err != nil || runtime.GOOS == "windows" || info.Mode().Perm()&0o004 == 0 { // Windows has other permissions
		return
	}
	x.out.say("", checkConfig, engine.StatusWarning,
		fmt.Sprintf("%s %s, and every user of this machine can read it (mode %04o)", file, holds, info.Mode().Perm()), "chmod 600 "+term.ShellWord(file))
}

// origins are the values of the configuration with their origins, for --show-config: first those that are set, then
// the defaults.
func (x *examination) origins() []shownOrigin {
	out := []shownOrigin{{Key: "configuration", Value: x.cfg.File, From: x.howFound()}, {Key: "state folder", Value: config.StateDir(x.cfg, x.app.Getenv), From: config.StateDirFrom(x.app.Getenv)}}
	var defaults []shownOrigin
	for i := range x.cfg.Origins {
		o := &x.cfg.Origins[i]
		switch {
		case o.Key == "service.log_level" && x.o.Level != "":
			out = append(out, shownOrigin{Key: o.Key, Value: x.o.Level, From: "flag --log-level"})
		case o.From != config.FromDefault:
			out = append(out, shownOrigin{Key: o.Key, Value: x.shown(o), From: o.From})
		case o.Value != "":
			defaults = append(defaults, shownOrigin{Key: o.Key, Value: o.Value, From: o.From})
		}
	}
	return append(out, defaults...)
}

// secret reports whether the value of an origin is one.
func (x *examination) secret(o *config.Origin) bool {
	if c, name := x.configured(o.Key); c != nil {
		return records.SecretValue(x.app, x.cfg, c, name)
	}
	return records.Masked(o)
}

// shown is the value of an origin without secrets.
func (x *examination) shown(o *config.Origin) string {
	if c, name := x.configured(o.Key); c != nil {
		return records.ShownValue(x.app, x.cfg, c, name)
	}
	return records.ShownOrigin(o)
}

// configured finds the connector and the field of a key such as connectors[0].configuration.host.
func (x *examination) configured(key string) (c *config.Connector, name string) {
	var i int
	if n, err := fmt.Sscanf(key, "connectors[%d].configuration.%s", &i, &name); err != nil || n != 2 || i >= len(x.cfg.Connectors) {
		return nil, ""
	}
	return &x.cfg.Connectors[i], key[len(fmt.Sprintf("connectors[%d].configuration.", i)):]
}
