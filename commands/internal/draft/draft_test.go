package draft

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/sources"
)

// anyVariable is an environment in which every variable is set.
func anyVariable() config.Env {
	return config.Env{Lookup: func(name string) (string, bool) { return "x", name != "ENV_FILE" && name != "ENT_SEARCH_CONFIG_PATH" }}
}

// TestTemplatesLoad: the template of each type is a valid file; only required fields without a value are missing. It
// names every field.
func TestTemplatesLoad(t *testing.T) {
	t.Parallel()
	for _, typ := range sources.Builtin.Types() {
		text := Template(typ).Text()
		c, err := config.LoadText(t.Context(), filepath.Join(t.TempDir(), "c.yml"), text, anyVariable())
		if err != nil {
			t.Errorf("%s: %v\n%s", typ.Name, err, text)
			continue
		}
		raw, err := c.Connectors[0].ResolveConfiguration(t.Context(), typ.Fields)
		if err != nil {
			t.Errorf("%s: %v", typ.Name, err)
		}
		_, err = field.Parse(typ.Fields, raw)
		wrong, _ := errors.AsType[field.Errors](err)
		for _, e := range wrong {
			if e.Problem != "cannot be empty" {
				t.Errorf("%s: %v", typ.Name, e)
			}
		}
		for _, s := range typ.Fields {
			if !strings.Contains(text, "\n      "+s.Name+":") && !strings.Contains(text, "\n      # "+s.Name+":") {
				t.Errorf("%s: no field %s", typ.Name, s.Name)
			}
		}
		for line := range strings.Lines(text) {
			if len([]rune(line)) > width+1 && !strings.Contains(line, ": ${") { // a name cannot be wrapped
				t.Errorf("%s: a wide line: %s", typ.Name, line)
			}
		}
		uncommented := strings.NewReplacer("\n      # ", "\n      ").Replace(text) // of the values
		for _, s := range typ.Fields {
			if initial := field.Initial(&s); initial != nil && !strings.Contains(uncommented, "\n      "+s.Name+": "+flow(initial)+"\n") {
				t.Errorf("%s: %s has not its default %s", typ.Name, s.Name, flow(initial))
			}
		}
	}
}

// TestValuesNeverChangeTheFile: whatever a value is, it is read as it was given.
func TestValuesNeverChangeTheFile(t *testing.T) {
	t.Parallel()
	typ, _ := sources.Builtin.Lookup("dir")
	for _, value := range []string{
		"plain", "./docs", "007", "5432", "-1", "+5", "1e3", "0x10", "1_000", "true", "No", "null", "~", "", " blank ", "a: b", "a #b", "#c", "'", `"`, `\`, "$x", "${", "${A}b", "$$", "%s", "- a", "[a]",
		"{a}", "*a", "&a", "!a", "|", ">", "@a", "`a`", "line\nbreak", "tab\t", "\x1b[31m", "\u202eevil", "ünïcode…", "C:\\data", "a,b", "?", "=", "<<", "2024-01-02", "12:30:00", "0o7", ".inf", ".nan", "1:30",
	} {
		d := Template(typ)
		d.Values = map[string]string{"directory": value, "pattern": "**/*"}
		c, err := config.LoadText(t.Context(), filepath.Join(t.TempDir(), "c.yml"), d.Text(), config.Env{})
		if err != nil {
			t.Errorf("%q: %v", value, err)
			continue
		}
		values, err := field.Parse(typ.Fields, c.Connectors[0].Configuration)
		if value == "" {
			continue
		}
		if err != nil || values.String("directory") != value || len(c.Warnings) > 0 {
			t.Errorf("%q is read as %q (%v, %q)", value, values.String("directory"), err, c.Warnings)
		}
	}
}

// TestSecretsAreReadAsWritten saves secrets twice; what was in the .env stays, and no other user can read it.
func TestSecretsAreReadAsWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, dotenv := filepath.Join(dir, "c.yml"), filepath.Join(dir, ".env")
	if err := os.WriteFile(dotenv, []byte("OTHER=kept # comment"), 0o644); err != nil { //nolint:gosec // too open on purpose
		t.Fatal(err)
	}
	want := map[string]string{"OTHER": "kept"}
	var secrets []Secret
	for i, value := range []string{"plain", ` b"l'a\nk$HOME${X}` + "`id`", "two\nlines\r\n\tx", "#", "=", `\`, "ünï\u202e"} {
		name := "S" + string(rune('A'+i))
		secrets = append(secrets, Secret{name, value})
		want[name] = value
	}
	if err := Save(file, "text", dotenv, secrets, false); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, config.Variables(dotenv)); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if info, err := os.Stat(dotenv); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := Save(file, "other", dotenv, nil, false); !errors.Is(err, os.ErrExist) {
		t.Errorf("an existing file: %v", err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "text" {
		t.Errorf("%q, %v", text, err)
	}
	if err := Save(file, "other", dotenv, nil, true); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("%v, %v", left, err)
	}
}

func TestVariable(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"shop": "SHOP_PASSWORD", "my shop": "MY_SHOP_PASSWORD", "7up": "_7UP_PASSWORD", "$(x)": "X_PASSWORD", "": "PASSWORD"} {
		if got := Variable(name, "password"); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}
