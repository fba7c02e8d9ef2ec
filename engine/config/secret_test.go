package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/goccy/go-yaml"
)

const canary = "c4n4ry-9f2e"

// TestSecretsCannotBePrinted prints a configuration full of secrets in every
// way that there is.
func TestSecretsCannotBePrinted(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, fmt.Sprintf(`
elasticsearch: {host: "http://%[1]s:%[1]s@localhost", headers: {Authorization: %[1]s}}
connectors:
- {name: a, service_type: dir, index_name: a, api_key: %[1]s, configuration: {password: %[1]s, list: [%[1]s]}}
`, canary))
	c.Elasticsearch.Username = "" // a name is no secret; it was made one to find it in the address
	c.Origins = slices.DeleteFunc(c.Origins, func(o Origin) bool { return o.Key == "elasticsearch.username" })
	c.Elasticsearch.APIKey, c.Elasticsearch.BearerToken = NewSecret(canary), NewSecret(canary)
	if c.Elasticsearch.Password.Reveal() != canary || c.Connectors[0].APIKey.Reveal() != canary {
		t.Fatal("the secrets were not loaded")
	}
	for _, one := range c.Origins {
		if strings.Contains(one.Value, canary) {
			t.Errorf("origin %s shows the secret", one.Key)
		}
	}
	private := struct{ c *Config }{c}
	wrapped := struct{ S Secret }{NewSecret(canary)}
	hidden := struct{ s Secret }{NewSecret(canary)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{*c, c, c.Elasticsearch, c.Connectors, c.Connectors[0].Configuration, c.Elasticsearch.Headers, private, wrapped, hidden, wrapped.S, &wrapped.S, any(wrapped.S)} {
			if v == any(private) && (verb == "%s" || verb == "%q") {
				continue // fmt calls no method in the text for a wrong verb, and maps have their values in them
			}
			printed := fmt.Sprintf(verb, v)
			for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%v", []byte(canary))} {
				if strings.Contains(printed, form) {
					t.Errorf("%s of %T shows the secret", verb, v)
				}
			}
		}
	}
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "c", *c, "p", c, "s", wrapped.S, "h", c.Elasticsearch.Headers, "k", c.Connectors[0].Configuration)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "c", *c, "p", c, "s", wrapped.S, "h", c.Elasticsearch.Headers, "k", c.Connectors[0].Configuration)
	for name, encode := range map[string]func(any) ([]byte, error){"json": json.Marshal, "yaml": yaml.Marshal, "toml": func(v any) ([]byte, error) {
		var b bytes.Buffer
		err := toml.NewEncoder(&b).Encode(v)
		return b.Bytes(), err
	}} {
		for _, v := range []any{struct{ E Elasticsearch }{withoutHeaders(c)}, wrapped} {
			data, err := encode(v)
			if err != nil || !bytes.Contains(data, []byte("•••")) {
				t.Errorf("%s: got %s, %v", name, data, err)
			}
			out.Write(data)
		}
	}
	for _, encode := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
		data, err := encode(c)
		if err != nil {
			t.Error(err)
		}
		out.Write(data)
	}
	if strings.Contains(out.String(), canary) {
		t.Errorf("encoded: %s", out.String())
	}
}

// withoutHeaders is for TOML, whose encoder asks maps for nothing.
func withoutHeaders(c *Config) Elasticsearch {
	e := c.Elasticsearch
	e.Headers = nil
	return e
}

// TestErrorsHoldNoValues breaks files in many ways around a secret and looks
// for it in the messages.
func TestErrorsHoldNoValues(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"number.yml":    withHost("engine.readers: " + canary),
		"flag.yml":      withHost("elasticsearch.verify_certs: " + canary),
		"duration.yml":  withHost("service.idling: " + canary),
		"size.yml":      withHost("engine.budget: " + canary),
		"choice.yml":    withHost("service.log_level: " + canary),
		"host.yml":      "elasticsearch.host: http://u:" + canary + "@:99999999/%zz",
		"host2.yml":     "elasticsearch.host: http://u:pa#" + canary + "@h",
		"host3.yml":     "elasticsearch.host: u:" + canary + "@h",
		"host4.yml":     "elasticsearch.host: http://u:1/" + canary + "@h",
		"host5.yml":     "elasticsearch.host: http://u:p?" + canary + "@h",
		"quote.yml":     withHost("elasticsearch.password: \"" + canary),
		"colon.yml":     withHost("elasticsearch.password: a: " + canary),
		"bracket.yml":   withHost("elasticsearch.password: [" + canary),
		"percent.yml":   withHost("elasticsearch.password: %" + canary),
		"at.yml":        withHost("elasticsearch.password: @" + canary),
		"star.yml":      withHost("elasticsearch.password: *" + canary),
		"bang.yml":      withHost("elasticsearch.password: !" + canary + " x"),
		"brace.yml":     withHost("elasticsearch.password: ${1" + canary + "}"),
		"unclosed.yml":  withHost("elasticsearch.password: ${" + canary),
		"header.yml":    withHost("elasticsearch.headers: {a: \"" + canary + "\\nb\"}"),
		"list.yml":      withHost("elasticsearch.password: [" + canary + "]"),
		"index.yml":     withHost("connectors: [{name: a, service_type: b, index_name: " + canary + "/, api_key: [" + canary + "]}]"),
		"indent.yml":    withHost("elasticsearch:\n  password: x\n   " + canary + ": y\n" + canary),
		"bare.toml":     "[elasticsearch]\npassword = " + canary,
		"digits.toml":   "[elasticsearch]\npassword = 0" + canary,
		"zeros.toml":    "[elasticsearch]\npassword = 00099123",
		"big.toml":      "[elasticsearch]\npassword = 99991230000000000000000",
		"hex.toml":      "[elasticsearch]\npassword = 0xZZ" + canary,
		"date.toml":     "[elasticsearch]\npassword = 2020-13-45T99:12:30",
		"quote.toml":    "[elasticsearch]\npassword = \"" + canary,
		"two.toml":      "[elasticsearch]\npassword = \"x\" " + canary,
		"escape.toml":   "[elasticsearch]\npassword = \"\\u" + canary + "\"",
		"duration.toml": "service.idling = \"" + canary + "\"",
	}
	dir := write(t, files)
	for name := range files {
		_, err := Load(t.Context(), filepath.Join(dir, name), Env{})
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, form := range []string{canary, canary[:6], "9912", "99991230", "12:30"} {
			if strings.Contains(err.Error(), form) {
				t.Errorf("%s: shows the value: %v", name, err)
			}
		}
	}
}

func TestSecretFromFileAndCommand(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("needs sh")
	}
	script := filepath.Join(t.TempDir(), "say")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nprintf '%s\\n' \"$1\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := write(t, map[string]string{"key": "file-secret\n"})
	for name, c := range map[string]struct {
		keys string
		env  []string
		want string
	}{
		"a value":                     {"password: plain", nil, "plain"},
		"digits keep their zeros":     {"password: 00123", nil, "00123"},
		"a number keeps its spelling": {"password: 1.10", nil, "1.10"},
		"a file":                      {"password_file: key", nil, "file-secret"},
		"a file by variable":          {"password_file: ${F}", []string{"F=" + filepath.Join(dir, "key")}, "file-secret"},
		"a command":                   {"password_command: [sh, " + script + ", 'a b$$(c)']", nil, "a b$(c)"},
		"the environment's file":      {"password: plain", []string{"ELASTIC_INGEST__ELASTICSEARCH__PASSWORD_FILE=key"}, "file-secret"},
		"the environment's value":     {"password_file: nowhere", []string{"ELASTIC_INGEST__ELASTICSEARCH__PASSWORD=p"}, "p"},
		"the environment's command":   {"password: plain", []string{`ELASTIC_INGEST__ELASTICSEARCH__PASSWORD_COMMAND=["sh", "` + script + `", "x"]`}, "x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(dir, strings.ReplaceAll(name, " ", "-")+".yml")
			if err := os.WriteFile(file, []byte("elasticsearch:\n  host: http://a\n  "+c.keys+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := Load(t.Context(), file, Env{Environ: c.env})
			if err != nil {
				t.Fatal(err)
			}
			if got.Elasticsearch.Password.Reveal() != c.want {
				t.Errorf("got %q, want %q", got.Elasticsearch.Password.Reveal(), c.want)
			}
			if got.Elasticsearch.Username != "elastic" {
				t.Errorf("user: got %q, want elastic", got.Elasticsearch.Username)
			}
		})
	}
}

// TestAuthentication says which way to log in is left of those that are given.
func TestAuthentication(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		keys string
		env  []string
		want string // user, password, API key, token
		warn int
	}{
		"a user":                               {"username: u, password: p", nil, "u p  ", 0},
		"an API key wins":                      {"username: u, password: p, api_key: k", nil, "  k ", 1},
		"the stock user is not worth a word":   {"username: elastic, password: changeme, api_key: k", nil, "  k ", 0},
		"a token wins":                         {"username: u, password: p, bearer_token: b", nil, "   b", 1},
		"the environment's user wins":          {"api_key: k", []string{"ELASTIC_INGEST__ELASTICSEARCH__PASSWORD=p"}, "elastic p  ", 1},
		"the environment's key wins":           {"bearer_token: b", []string{"ELASTIC_INGEST__ELASTICSEARCH__API_KEY=k"}, "  k ", 0},
		"the environment's token wins":         {"api_key: k", []string{"ELASTIC_INGEST__ELASTICSEARCH__BEARER_TOKEN=b"}, "   b", 0},
		"in the address":                       {"host: 'http://u:p%20q@h'", nil, "u p q  ", 0},
		"in the address, and a key":            {"host: 'http://u:p@h', api_key: k", nil, "  k ", 1},
		"in the address, and another password": {"host: 'http://u:p@h', password: q", nil, "u q  ", 1},
		"in the address, and another user":     {"host: 'http://u:p@h', username: v, password: q", nil, "v q  ", 1},
		"a user in the address":                {"host: 'http://u@h', password: q", nil, "u q  ", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys := c.keys
			if !strings.Contains(keys, "host:") {
				keys += ", host: http://h"
			}
			got := mustLoad(t, "elasticsearch: {"+keys+"}", c.env...)
			es := got.Elasticsearch
			if have := es.Username + " " + es.Password.Reveal() + " " + es.APIKey.Reveal() + " " + es.BearerToken.Reveal(); have != c.want {
				t.Errorf("got %q, want %q", have, c.want)
			}
			if es.Host != "http://h" {
				t.Errorf("host: got %q", es.Host)
			}
			if len(got.Warnings) != c.warn {
				t.Errorf("got warnings %q, want %d", got.Warnings, c.warn)
			}
		})
	}
}
