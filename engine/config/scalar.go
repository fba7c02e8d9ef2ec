package config

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/analysis"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
)

// scalar returns the text of a key after substitution; ok is false if it is
// missing or wrong, which has been reported.
func (o *object) scalar(name, want string) (s string, n *node, ok bool) {
	o.describe(Key{Name: name, Kind: Text})
	n = o.take(name)
	if n == nil || n.kind == null {
		return "", n, false
	}
	if n.kind == list || n.kind == section {
		o.fail(n.at, name, "must be "+want+", not "+n.kind.String(), "")
		return "", n, false
	}
	s, ok = o.l.expand(n, o.key(name), wholeSyntax)
	return s, n, ok
}

// note records the origin of a value.
func (o *object) note(name, shown string, n *node) {
	one := Origin{Key: o.key(name), Value: shown, From: FromDefault}
	if n != nil && n.kind != null {
		one.From, one.Written = o.l.provenance(n)
	}
	o.l.origins = append(o.l.origins, one)
}

// text reads a text; numbers and the like are taken as written.
func (o *object) text(name string, to *string) *node {
	o.describe(Key{Name: name, Kind: Text, Default: *to})
	s, n, ok := o.scalar(name, "text")
	if ok {
		*to = s
	}
	o.note(name, *to, n)
	return n
}

// choice reads one of several words, in any case.
func (o *object) choice(name string, to *string, choices ...string) *node {
	o.describe(Key{Name: name, Kind: Choice, Choices: choices, Default: *to})
	s, n, ok := o.scalar(name, "one of "+strings.Join(choices, ", "))
	if ok && s != "" {
		if at := indexFold(choices, s); at >= 0 {
			*to = choices[at]
		} else {
			o.fail(n.at, name, "must be one of "+strings.Join(choices, ", "), "")
		}
	}
	o.note(name, *to, n)
	return n
}

// otherLevels are the names of levels in other programs.
var otherLevels = map[string]string{"NOTSET": "DEBUG", "WARN": "WARNING", "FATAL": "CRITICAL", "UNKNOWN": "CRITICAL"}

// logLevel reads a level by its name, or by its name in other programs.
func (o *object) logLevel(name string, to *string) {
	levels := []string{"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}
	o.describe(Key{Name: name, Kind: Choice, Choices: levels, Synonyms: slices.Sorted(maps.Keys(otherLevels)), Default: *to})
	s, n, ok := o.scalar(name, "one of "+strings.Join(levels, ", "))
	if ok && s != "" {
		level := strings.ToUpper(strings.TrimSpace(s))
		level = cmp.Or(otherLevels[level], level)
		if slices.Contains(levels, level) {
			*to = level
		} else {
			o.fail(n.at, name, "must be one of "+strings.Join(levels, ", "), "")
		}
	}
	o.note(name, *to, n)
}

// language reads the code of a language that new indices support.
func (o *object) language(name string, to *string) {
	codes := analysis.Languages()
	o.describe(Key{Name: name, Kind: Choice, Choices: codes, Default: *to})
	s, n, ok := o.scalar(name, "the code of a language")
	if ok && s != "" {
		if at := indexFold(codes, s); at >= 0 {
			*to = codes[at]
		} else {
			hint := "other languages can be configured in the connector's mappings file"
			if near := field.Nearest(strings.TrimSpace(s), codes); near != "" {
				hint = "did you mean " + near + "?"
			}
			o.fail(n.at, name, "must be one of "+strings.Join(codes, ", "), hint)
		}
	}
	o.note(name, *to, n)
}

func indexFold(words []string, s string) int {
	for i, w := range words {
		if strings.EqualFold(w, strings.TrimSpace(s)) {
			return i
		}
	}
	return -1
}

// filePath reads the name of an existing file, and makes it absolute.
func (o *object) filePath(name string, to *string) {
	s, n, ok := o.scalar(name, "the name of a file")
	if ok && s != "" {
		*to = absolute(o.l.dir, s)
		if problem := unreadable(*to); problem != "" {
			o.fail(n.at, name, fmt.Sprintf("names %s, which %s", *to, problem), "relative paths start at the folder of the configuration file")
		}
	}
	o.note(name, *to, n)
}

func (o *object) flag(name string, to *bool) *node {
	o.describe(Key{Name: name, Kind: Boolean, Default: strconv.FormatBool(*to)})
	s, n, ok := o.scalar(name, "true or false")
	if ok && s != "" {
		b, valid := field.ParseBool(s)
		switch strings.ToLower(strings.TrimSpace(s)) { // YAML's older words
		case "on":
			b, valid = true, true
		case "off":
			b, valid = false, true
		}
		if valid {
			*to = b
		} else {
			o.fail(n.at, name, "must be true or false", "")
		}
	}
	o.note(name, strconv.FormatBool(*to), n)
	return n
}

func (o *object) integer(name string, to *int, least, most int) *node {
	want := fmt.Sprintf("an integer from %d to %d", least, most)
	o.describe(Key{Name: name, Kind: Integer, Least: float64(least), Most: float64(most), Default: strconv.Itoa(*to)})
	s, n, ok := o.scalar(name, want)
	if ok && s != "" {
		i, err := parseInt(s)
		if err != nil || i < int64(least) || i > int64(most) {
			o.fail(n.at, name, "must be "+want, "")
		} else {
			*to = int(i)
		}
	}
	o.note(name, strconv.Itoa(*to), n)
	return n
}

// parseInt reads decimal digits, which may begin with zeros, and the other
// spellings of YAML and TOML.
func parseInt(s string) (int64, error) {
	s = strings.TrimPrefix(strings.TrimSpace(s), "+")
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return i, nil
	}
	return strconv.ParseInt(s, 0, 64)
}

func (o *object) number(name string, to *float64, least, most float64) {
	want := "a number from " + shortest(least) + " to " + shortest(most)
	o.describe(Key{Name: name, Kind: Number, Least: least, Most: most, Default: shortest(*to)})
	s, n, ok := o.scalar(name, want)
	if ok && s != "" {
		f, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(s), "%"), 64)
		if err != nil || math.IsNaN(f) || f < least || f > most {
			o.fail(n.at, name, "must be "+want, "")
		} else {
			*to = f
		}
	}
	o.note(name, shortest(*to), n)
}

func shortest(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// duration reads seconds, or a text such as 5m.
func (o *object) duration(name string, to *time.Duration, least time.Duration) {
	o.describe(Key{Name: name, Kind: Duration, Least: least.Seconds(), Most: maxSeconds, Default: to.String()})
	s, n, ok := o.scalar(name, "a duration")
	if ok && s != "" {
		d, valid := parseDuration(strings.TrimSpace(s))
		switch {
		case !valid:
			o.fail(n.at, name, "must be a duration", "write seconds, or a text such as 90s, 5m or 1h30m")
		case d < least:
			o.fail(n.at, name, "must be at least "+least.String(), "")
		default:
			*to = d
		}
	}
	o.note(name, to.String(), n)
}

// maxSeconds and maxSize are the largest values that are read.
const (
	maxSeconds = 4_000_000_000
	maxSize    = 1 << 60
)

func parseDuration(s string) (time.Duration, bool) {
	if seconds, err := strconv.ParseFloat(s, 64); err == nil {
		if math.IsNaN(seconds) || math.Abs(seconds) > maxSeconds {
			return 0, false
		}
		return time.Duration(seconds * float64(time.Second)), true
	}
	d, err := time.ParseDuration(s)
	return d, err == nil
}

// size reads bytes: a text such as 64MiB, or a number of units.
func (o *object) size(name string, to *int64, unit, least int64) *node {
	o.describe(Key{Name: name, Kind: Size, Least: float64(least) / float64(unit), Most: maxSize / float64(unit), Default: formatSize(*to)})
	s, n, ok := o.scalar(name, "a size")
	if ok && s != "" {
		bytes, valid := parseSize(s, unit)
		switch {
		case !valid:
			o.fail(n.at, name, "must be a size", fmt.Sprintf("write a text such as 64MiB or 500KB; a number alone counts %s", unitName(unit)))
		case bytes < least:
			o.fail(n.at, name, fmt.Sprintf("must be at least %s", formatSize(least)), "")
		default:
			*to = bytes
		}
	}
	o.note(name, formatSize(*to), n)
	return n
}

func unitName(unit int64) string {
	if unit == mebibyte {
		return "MiB"
	}
	return "bytes"
}

// parseSize reads the units of powers of 1024 (KiB) and of 1000 (KB).
func parseSize(s string, unit int64) (int64, bool) {
	s = strings.TrimSpace(s)
	digits := strings.TrimRight(s, "KMGTiBbkmgt ")
	factor := float64(unit)
	switch strings.ToLower(strings.TrimSpace(s[len(digits):])) {
	case "":
	case "b":
		factor = 1
	case "kib":
		factor = 1 << 10
	case "mib":
		factor = 1 << 20
	case "gib":
		factor = 1 << 30
	case "tib":
		factor = 1 << 40
	case "kb":
		factor = 1e3
	case "mb":
		factor = 1e6
	case "gb":
		factor = 1e9
	case "tb":
		factor = 1e12
	default:
		return 0, false
	}
	f, err := strconv.ParseFloat(digits, 64)
	if err != nil || math.IsNaN(f) || f < 0 || f*factor > maxSize {
		return 0, false
	}
	return int64(f * factor), true
}

func formatSize(bytes int64) string {
	for _, u := range []struct {
		factor int64
		name   string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if bytes >= u.factor && bytes%u.factor == 0 {
			return strconv.FormatInt(bytes/u.factor, 10) + u.name
		}
	}
	return strconv.FormatInt(bytes, 10) + "B"
}

// words reads a list of text, which may also be one text with commas.
func (o *object) words(name string, to *[]string) *node {
	o.describe(Key{Name: name, Kind: Words})
	n := o.take(name)
	if n != nil && n.kind != null {
		if words, ok := o.l.words(n, o.key(name)); ok {
			*to = words
		}
	}
	o.note(name, strings.Join(*to, ", "), n)
	return n
}

func (l *loader) words(n *node, key string) ([]string, bool) {
	switch n.kind {
	case section:
		l.fail(n.at, key, "must be a list of text, not a section", "")
		return nil, false
	case list:
		return l.members(n, key)
	}
	s, ok := l.expand(n, key, wholeSyntax)
	if !ok {
		return nil, false
	}
	return field.SplitList(s), true
}

// members reads a list of text member by member, keeping empty ones.
func (l *loader) members(n *node, key string) ([]string, bool) {
	if n.at.fromEnvironment() && n.kind == text { // a variable can hold a list as JSON only
		words, ok := jsonWords(n.text)
		if !ok {
			l.fail(n.at, key, "must be a list of text", `in a variable write it as JSON: ["a", "b"]`)
		}
		return words, ok
	}
	if n.kind != list {
		l.fail(n.at, key, "must be a list of text, not "+n.kind.String(), "")
		return nil, false
	}
	words := make([]string, 0, len(n.list))
	for i, m := range n.list {
		if m.kind == list || m.kind == section || m.kind == null {
			l.fail(m.at, fmt.Sprintf("%s[%d]", key, i), "must be text, not "+m.kind.String(), "")
			return nil, false
		}
		s, ok := l.expand(m, fmt.Sprintf("%s[%d]", key, i), wholeSyntax)
		if !ok {
			return nil, false
		}
		words = append(words, s)
	}
	return words, true
}

func jsonWords(s string) (words []string, ok bool) {
	err := json.Unmarshal([]byte(s), &words)
	return words, err == nil
}
