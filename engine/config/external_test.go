package config

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
)

func TestCommandProblems(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("needs sh")
	}
	for name, c := range map[string]struct {
		argv []string
		want string
	}{
		"it fails and says why":            {[]string{"sh", "-c", "echo " + canary + "; echo 'no such vault' >&2; exit 3"}, "exit status 3: no such vault"},
		"its output is hidden in stderr":   {[]string{"sh", "-c", "echo " + canary + "; echo 'got " + canary + "' >&2; exit 3"}, "got •••"},
		"it does not exist":                {[]string{"elastic-ingest-no-such-program"}, "executable file not found"},
		"a relative path is from the file": {[]string{"./no-such-program"}, "no-such-program"},
		"it prints too much":               {[]string{"sh", "-c", "yes | head -c 2000000"}, "printed more than 1048576 bytes"},
		"it has no name":                   {[]string{""}, "names no program"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := &origin{dir: t.TempDir()}
			got, err := o.command(t.Context(), c.argv)
			if err == nil || got != "" {
				t.Fatalf("got %q, %v", got, err)
			}
			if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), canary) {
				t.Errorf("got %q, want %q", err, c.want)
			}
		})
	}
}

func TestCommandTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := &origin{dir: t.TempDir(), env: Env{RunCommand: func(ctx context.Context, _ string, _ []string) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}}
		before := time.Now()
		_, err := o.command(t.Context(), []string{"pass", "show"})
		if err == nil || err.Error() != "run pass: took longer than 30s" {
			t.Errorf("got %v", err)
		}
		if took := time.Since(before); took != commandTimeout {
			t.Errorf("took %s", took)
		}
	})
}

func TestEmptySecretIsAnError(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"key": "\n", "config.yml": withHost("elasticsearch.password_file: key")})
	_, err := Load(t.Context(), filepath.Join(dir, "config.yml"), Env{})
	if want := "config.yml:2: elasticsearch.password_file: gives an empty secret"; !strings.Contains(errorText(err), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

func specs() []field.Spec {
	return []field.Spec{
		{Name: "host", Label: "Host", Order: 1},
		{Name: "port", Label: "Port", Type: field.Int, Order: 2},
		{Name: "password", Label: "Password", Sensitive: true, Optional: true, Order: 3},
		{Name: "token", Label: "Token", Sensitive: true, Optional: true, Order: 4},
		{Name: "ca", Label: "CA", Path: true, Optional: true, Order: 5},
		{Name: "extra_file", Label: "Extra", Optional: true, Order: 6},
		{Name: "extra", Label: "Extra 2", Sensitive: true, Optional: true, Order: 7},
	}
}

func TestResolveConfiguration(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"key": "from-file\n", "config.yml": withHost(`
connectors:
- name: a
  service_type: x
  index_name: a
  configuration:
    host: h
    port: 0123
    password_file: key
    token_command: [vault, read, 7]
    ca: certs/ca.pem
    extra_file: kept
`)})
	var ran []string
	c, err := Load(t.Context(), filepath.Join(dir, "config.yml"), Env{RunCommand: func(_ context.Context, in string, argv []string) ([]byte, error) {
		ran = append(slices.Clone(argv), in)
		return []byte("from-command\n"), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if ran != nil {
		t.Errorf("the command of a connector ran at loading")
	}
	got, err := c.Connectors[0].ResolveConfiguration(t.Context(), specs())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"host": "h", "port": "0123", "password": "from-file", "token": "from-command",
		"ca": filepath.Join(dir, "certs", "ca.pem"), "extra_file": "kept",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"vault", "read", "7", dir}, ran); diff != "" {
		t.Errorf("command (-want +got):\n%s", diff)
	}
	if _, resolved := c.Connectors[0].Configuration["password"]; resolved {
		t.Error("the connector's own values were changed")
	}
	values, err := field.Parse(specs(), got)
	if err != nil || values.Int("port") != 123 || values.String("password") != "from-file" {
		t.Errorf("got %v, %v", values, err)
	}
}

func TestResolveConfigurationProblems(t *testing.T) {
	t.Parallel()
	fails := func(context.Context, string, []string) ([]byte, error) { return []byte(canary), errors.New("denied") }
	for name, c := range map[string]struct{ configuration, want string }{
		"both":            {"{password: a, password_file: b}", "config.yml:2: a: configuration.password_file: is given beside password; keep one"},
		"no such file":    {"{password_file: nowhere}", "config.yml:2: a: configuration.password_file: file DIR/nowhere does not exist"},
		"not a name":      {"{password_file: [a]}", "must be the name of a file"},
		"not a list":      {"{password_command: vault read}", "must be a list of text: a program and its arguments"},
		"fails":           {"{password_command: [vault]}", "run vault: denied"},
		"nothing printed": {"{token_file: empty}", "gives an empty secret"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := write(t, map[string]string{"empty": "", "config.yml": withHost("connectors: [{name: a, service_type: x, index_name: a, configuration: " + c.configuration + "}]")})
			loaded, err := Load(t.Context(), filepath.Join(dir, "config.yml"), Env{RunCommand: fails})
			if err != nil {
				t.Fatal(err)
			}
			_, err = loaded.Connectors[0].ResolveConfiguration(t.Context(), specs())
			if got := errorText(err); !strings.Contains(got, c.want) || strings.Contains(got, canary) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestResolvePrefersTheEnvironment says that a secret from a variable replaces
// the file's way of getting it.
func TestResolvePrefersTheEnvironment(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, withHost("connectors: [{name: a, service_type: x, index_name: a, configuration: {password_file: nowhere}}]"),
		"ELASTIC_INGEST__CONNECTORS__0__CONFIGURATION__PASSWORD=p")
	got, err := c.Connectors[0].ResolveConfiguration(t.Context(), specs())
	if diff := cmp.Diff(map[string]any{"password": "p"}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// TestResolveWithoutLoad says that a connector created in a program works too.
func TestResolveWithoutLoad(t *testing.T) {
	t.Parallel()
	got, err := Connector{Configuration: Configuration{"host": "h"}}.ResolveConfiguration(t.Context(), specs())
	if diff := cmp.Diff(map[string]any{"host": "h"}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// noCommand stands in for every command, so that none runs.
func noCommand([]string) (string, error) { return "secret", nil }
