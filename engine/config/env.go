package config

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// An Env is the part of the program's environment that Load uses.
type Env struct {
	// Environ is the environment as NAME=value, in the form of [os.Environ].
	Environ []string
	// Lookup returns the value of a variable; nil searches Environ.
	Lookup func(name string) (string, bool)
	// RunCommand runs a program without a shell in the folder dir and returns
	// its standard output; nil runs it for real.
	RunCommand func(ctx context.Context, dir string, argv []string) (stdout []byte, err error)
	// CommandTimeout is how long a command may take; 0 is 30 seconds.
	CommandTimeout time.Duration
}

// OSEnv is the real environment.
func OSEnv() Env { return Env{Environ: os.Environ(), Lookup: os.LookupEnv} }

func (e Env) lookup(name string) (string, bool) {
	if e.Lookup != nil {
		return e.Lookup(name)
	}
	for _, pair := range slices.Backward(e.Environ) {
		if k, v, ok := strings.Cut(pair, "="); ok && k == name {
			return v, true
		}
	}
	return "", false
}

// lookup searches the real environment, then the .env file.
func (l *loader) lookup(name string) (string, bool) {
	if v, ok := l.env.lookup(name); ok {
		return v, true
	}
	v, ok := l.dotenv[name]
	return v, ok
}

// overridePrefix begins the variables that set a key of the file. Levels are
// separated by two underscores.
const overridePrefix = "ELASTIC_INGEST__"

// overrides returns an entry for each variable that sets a key, with a dotted
// key; members of lists are addressed by their index.
func (l *loader) overrides() []entry {
	set := map[string]string{}
	maps.Copy(set, l.dotenv)
	for _, pair := range l.env.Environ {
		if k, v, ok := strings.Cut(pair, "="); ok {
			set[k] = v
		}
	}
	var out []entry
	for variable, value := range set {
		path, ok := strings.CutPrefix(variable, overridePrefix)
		if !ok {
			continue
		}
		at := place{variable: variable}
		out = append(out, entry{
			key:   strings.ToLower(strings.ReplaceAll(path, "__", ".")),
			at:    at,
			value: &node{kind: text, text: value, at: at},
		})
	}
	slices.SortFunc(out, func(a, b entry) int {
		return cmp.Compare(a.at.variable, b.at.variable)
	})
	return out
}

// warnOfVariables warns about variables that other programs read as keys of
// these files, and this one does not: otherwise a password in one of them
// would be missing without an explanation.
func (l *loader) warnOfVariables() {
	for _, pair := range l.env.Environ {
		name, value, _ := strings.Cut(pair, "=")
		at := l.where(place{variable: name})
		switch {
		case strings.HasPrefix(name, "elasticsearch."), strings.HasPrefix(name, "service."):
			l.warnings = append(l.warnings, at+": is not read; use "+overridePrefix+strings.ToUpper(strings.ReplaceAll(name, ".", "__")))
		case name == "ELASTICSEARCH_CONNECTORS_FIPS_MODE" && strings.EqualFold(value, "true"):
			l.warnings = append(l.warnings, at+": "+fipsHint)
		}
	}
}

// dotenvVariable names another .env file than the one beside the configuration.
const dotenvVariable = "ENV_FILE"

// readDotenv reads the .env file of the configuration.
func (l *loader) readDotenv() *Error {
	file, shown := filepath.Join(l.dir, ".env"), filepath.Join(filepath.Dir(l.file), ".env")
	if named, ok := l.env.lookup(dotenvVariable); ok && named != "" {
		file = absolute(l.dir, named)
		shown = file
		if bad := l.nameFile(dotenvVariable, file); bad != nil {
			return bad
		}
	}
	vars, err := readDotenv(file)
	if bad, ok := errors.AsType[*Error](err); ok {
		return bad
	}
	if err != nil {
		return &Error{File: shown, Problem: reason(err)}
	}
	l.dotenv = vars
	if vars != nil {
		l.config.Dotenv = file
	}
	return nil
}

// nameFile records that an environment variable names another file to read,
// which must then exist.
func (l *loader) nameFile(variable, file string) *Error {
	at := place{variable: variable}
	l.origins = append(l.origins, Origin{Key: variable, Value: file, From: l.where(at)})
	info, err := os.Stat(file) // not opened: a pipe can be read once
	if err == nil && info.IsDir() {
		err = errIsFolder
	}
	if err != nil {
		return l.failure(at, "", "names "+file+", which "+reason(err), "relative paths start at the folder of the configuration file")
	}
	return nil
}

// Variables returns the variables of a .env file; none if it cannot be read.
func Variables(file string) map[string]string {
	vars, err := readDotenv(file)
	if err != nil {
		return nil
	}
	return vars
}

// readDotenv reads the variables of a .env file. One that does not exist, or
// is a folder, holds none.
func readDotenv(file string) (map[string]string, error) {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() {
		return nil, nil
	}
	data, err := readFile(file, maxSecret)
	if err != nil {
		return nil, err
	}
	vars := map[string]string{}
	number := 0
	for line := range strings.Lines(strings.TrimPrefix(string(data), "\ufeff")) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if rest, ok := strings.CutPrefix(line, "export"); ok && strings.TrimLeft(rest, " \t") != rest {
			line = strings.TrimSpace(rest)
		}
		name, raw, ok := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		if !ok || !validName(name) {
			return nil, &Error{File: file, Line: number, Problem: "does not have the form NAME=value"}
		}
		value, problem := dotenvValue(strings.TrimSpace(raw))
		if problem != "" {
			return nil, &Error{File: file, Line: number, Key: name, Problem: problem}
		}
		vars[name] = value
	}
	return vars, nil
}

func validName(name string) bool {
	for i := range len(name) {
		if !nameByte(name[i], i == 0) {
			return false
		}
	}
	return name != ""
}

// dotenvValue removes the quotes of a value, or the comment after one that
// has none.
func dotenvValue(raw string) (value, problem string) {
	if raw == "" {
		return "", ""
	}
	quote := raw[0]
	if quote != '"' && quote != '\'' {
		if raw[0] == '#' {
			return "", ""
		}
		for i := 1; i < len(raw); i++ {
			if raw[i] == '#' && (raw[i-1] == ' ' || raw[i-1] == '\t') {
				return strings.TrimSpace(raw[:i]), ""
			}
		}
		return raw, ""
	}
	var out strings.Builder
	for i := 1; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == quote:
			if after := strings.TrimSpace(raw[i+1:]); after != "" && after[0] != '#' {
				return "", "has text after its closing quote"
			}
			return out.String(), ""
		case c == '\\' && quote == '"' && i+1 < len(raw):
			i++
			out.WriteString(unescape(raw[i]))
		default:
			out.WriteByte(c)
		}
	}
	return "", "has no closing quote"
}

func unescape(c byte) string {
	switch c {
	case 'n':
		return "\n"
	case 'r':
		return "\r"
	case 't':
		return "\t"
	case '"', '\\', '$', '`':
		return string(c)
	}
	return `\` + string(c)
}
