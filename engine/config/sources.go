package config

import (
	"regexp"
	"strings"
)

// classLine is how files of the Python service name the code of a source: a
// Python module and a class in it.
var classLine = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*$`)

// builtinOf returns the built-in service type for a module of the Python service.
func builtinOf(module, serviceType string) string {
	switch last := module[strings.LastIndexByte(module, '.')+1:]; last {
	case "mongo":
		return "mongodb"
	case "directory":
		return "dir"
	case "nas":
		return "network_drive"
	case "gcs":
		return "google_cloud_storage"
	case "abs":
		return "azure_blob_storage"
	case "mongodb", "mysql", "postgresql", "mssql", "oracle", "s3", "google_cloud_storage", "azure_blob_storage", "network_drive", "dir":
		return last
	}
	return serviceType
}

// sources reads the implementations of service types.
func (l *loader) sources(o *object) {
	o.free(Text)
	for _, e := range o.pairs() {
		if e.value.kind == list || e.value.kind == section || e.value.kind == null {
			o.fail(e.at, e.key, "must be text, not "+e.value.kind.String(), sourceHint)
			continue
		}
		s, ok := l.expand(e.value, o.key(e.key), wholeSyntax)
		if !ok {
			continue
		}
		s = strings.TrimSpace(s)
		scheme, rest, _ := strings.Cut(s, ":")
		switch {
		case scheme == "builtin" && strings.TrimSpace(rest) != "":
		case scheme == "exec":
			if argv, closed := splitWords(rest); len(argv) == 0 || !closed {
				o.fail(e.at, e.key, "names no program, or has an unclosed quote", sourceHint)
				continue
			}
		case strings.HasPrefix(s, "connectors.sources.") && classLine.MatchString(s):
			s = "builtin:" + builtinOf(scheme, e.key)
		case classLine.MatchString(s): // the name of a class is no type's name
			s = "builtin:" + s
		default:
			o.fail(e.at, e.key, "must begin with builtin: or exec:", sourceHint)
			continue
		}
		l.config.Sources[e.key] = s
		o.note(e.key, s, e.value)
	}
}

const sourceHint = "write builtin:TYPE, or exec:PROGRAM and its arguments"

// SourceCommand returns the program and the arguments that serve a service
// type; ok is false if it is served by built-in code. A relative program path
// starts at the folder of the configuration file. Arguments
// are separated by blanks; quotes, single or double, group them.
func (c *Config) SourceCommand(serviceType string) (argv []string, ok bool) {
	line, ok := strings.CutPrefix(c.Sources[serviceType], "exec:")
	if !ok {
		return nil, false
	}
	argv, _ = splitWords(line)
	if len(argv) > 0 && strings.ContainsAny(argv[0], `/\`) {
		argv[0] = absolute(c.Dir, argv[0])
	}
	return argv, len(argv) > 0
}

// splitWords splits at blanks outside quotes; closed is false if a quote is
// not closed.
func splitWords(s string) (words []string, closed bool) {
	var word strings.Builder
	inWord := false
	quote := rune(0)
	for _, r := range s {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, inWord = r, true
		case quote == 0 && (r == ' ' || r == '\t' || r == '\n'):
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, quote == 0
}
