package records

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
)

// Values of the configuration file without their secrets. The rules of shown.go apply; the name of a file that holds
// a secret is public, a command that prints one is not.

// SecretValue reports whether a value of a connector's configuration is a secret.
func SecretValue(a *setup.App, cfg *config.Config, c *config.Connector, name string) bool {
	typ, err := SourceType(a, cfg, c)
	if err != nil {
		return true
	}
	for _, spec := range typ.Fields {
		if spec.Name == name {
			return spec.Sensitive
		}
	}
	of, isFile := strings.CutSuffix(name, "_file")
	return !isFile || !slices.ContainsFunc(typ.Fields, func(s field.Spec) bool { return s.Name == of && s.Sensitive })
}

// ShownValue is a value of a connector's configuration; dots for a secret.
func ShownValue(a *setup.App, cfg *config.Config, c *config.Connector, name string) string {
	if SecretValue(a, cfg, c, name) {
		return field.Hidden
	}
	switch v := c.Configuration[name].(type) {
	case nil:
		return ""
	case string:
		return withoutLogin(v)
	case []any, map[string]any:
		raw, err := json.Marshal(v)
		if err != nil { // values of a file always have a JSON form
			return field.Hidden
		}
		return withoutLogin(string(raw))
	default:
		return fmt.Sprint(v)
	}
}

// Masked reports whether the configuration file itself masks a value outside of a connector's configuration.
func Masked(o *config.Origin) bool {
	return o.Value == field.Hidden && !strings.HasSuffix(o.Key, "_file") && !strings.HasSuffix(o.Key, "_command")
}

// ShownOrigin is such a value. The arguments of a program may be secrets.
func ShownOrigin(o *config.Origin) string {
	if program, arguments, found := strings.Cut(strings.TrimPrefix(o.Value, "exec:"), " "); found && strings.HasPrefix(o.Value, "exec:") && arguments != "" {
		return "exec:" + program + " " + field.Hidden
	}
	return o.Value
}

// withoutLogin masks a user and a password in an address, and its parameters, which may hold a password, too.
func withoutLogin(text string) string {
	scheme := strings.Index(text, "://")
	if scheme < 0 {
		return text
	}
	head, tail := text[:scheme+3], text[scheme+3:]
	if at := strings.LastIndexByte(tail, '@'); at >= 0 { // a password may contain every other character
		tail = field.Hidden + tail[at:]
	}
	if address, parameters, found := strings.Cut(tail, "?"); found && parameters != "" {
		tail = address + "?" + field.Hidden
	}
	return head + tail
}
