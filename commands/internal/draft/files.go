package draft

import (
	"errors"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/ownfile"
)

// Secret is a variable with its value.
type Secret struct{ Name, Value string }

// dotenvLine is a line of a .env with a value of any characters.
func dotenvLine(s Secret) string {
	escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`", "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s.Value)
	return s.Name + `="` + escaped + `"` + "\n"
}

// Exists reports whether there is anything under a name, also a link to nothing.
func Exists(file string) bool {
	_, err := os.Lstat(file)
	return !errors.Is(err, fs.ErrNotExist)
}

// Save writes the configuration, and the secrets into the .env, to which they are added. The .env comes first: a
// configuration without its secrets would be of no use. Without force, an existing configuration is an error.
func Save(file, text, dotenv string, secrets []Secret, force bool) error {
	if len(secrets) > 0 {
		if err := addSecrets(dotenv, secrets); err != nil {
			return err
		}
	}
	if force {
		return ownfile.Replace(file, []byte(text), 0o644)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(file))
	}
	return nil
}

var references = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)`)

// Unused are the variables of the .env to which the configuration that text replaces refers, and text does not.
// Another configuration may use them, so they stay.
func Unused(file, text, dotenv string) (names []string) {
	before, err := os.ReadFile(file)
	if err != nil { // nothing is replaced
		return nil
	}
	set := config.Variables(dotenv)
	used := map[string]bool{}
	for _, m := range references.FindAllStringSubmatch(text, -1) {
		used[m[1]] = true
	}
	for _, m := range references.FindAllStringSubmatch(string(before), -1) {
		if _, ok := set[m[1]]; ok && !used[m[1]] {
			names = append(names, m[1])
			used[m[1]] = true
		}
	}
	return names
}

// addSecrets adds lines to a .env and makes it readable for its owner alone.
func addSecrets(file string, secrets []Secret) error {
	before, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var b strings.Builder
	b.Write(before)
	if len(before) > 0 && before[len(before)-1] != '\n' {
		b.WriteByte('\n')
	}
	for _, s := range secrets {
		b.WriteString(dotenvLine(s))
	}
	return ownfile.Replace(file, []byte(b.String()), 0o600)
}
