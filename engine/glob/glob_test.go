package glob

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// This table is the definition of the language.
func TestMatch(t *testing.T) {
	t.Parallel()
	dots := Options{DotFiles: true}
	tests := []struct {
		rule    string
		pattern string
		options Options
		yes, no []string
	}{
		{"a pattern without wildcard is itself", "a/b.txt", Options{}, []string{"a/b.txt"}, []string{"a/b.txtx", "b.txt", "x/a/b.txt", "a", ""}},
		{"letter case counts", "A*", Options{}, []string{"A", "Ab"}, []string{"a", "ab"}},
		{"* is any run within a segment", "*.txt", Options{}, []string{"a.txt", "a.b.txt"}, []string{"a/b.txt", "a.md", "txt"}},
		{"* may be nothing", "a*b", Options{}, []string{"ab", "axxb"}, []string{"a/b", "abx"}},
		{"two stars in a segment are one", "a**b", Options{}, []string{"ab", "axb"}, []string{"a/b", "a/x/b"}},
		{"? is one character", "?.md", Options{}, []string{"a.md", "é.md", "本.md"}, []string{".md", "ab.md", "/.md"}},
		{"? is one byte that is not UTF-8", "a?", Options{}, []string{"a\xff"}, []string{"a\xff\xff"}},
		{"a class is one of its characters", "[abc-e]x", Options{}, []string{"ax", "dx"}, []string{"fx", "x", "aax"}},
		{"a class with ! is one of the others", "[!a-c]", Options{}, []string{"d", "é", "\xff"}, []string{"a", "c", "dd", ""}},
		{"^ is the same as !", "[^a]", Options{}, []string{"b"}, []string{"a"}},
		{"] stands first in a class", "[]x]", Options{}, []string{"]", "x"}, []string{"[]x]"}},
		{"- stands last in a class", "[a-]", Options{}, []string{"a", "-"}, []string{"b"}},
		{"a class of one escapes", "[*][?][[]", Options{}, []string{"*?["}, []string{"x?["}},
		{"a byte that is not UTF-8 is in no range", "[\u0000-\U0010ffff]", Options{}, []string{"\ufffd"}, []string{"\xff"}},
		{"a leading ** may be nothing", "**/*.*", Options{}, []string{"a.b", "x/a.b", "x/y/a.b"}, []string{"Makefile", "x/Makefile", "x.d/Makefile"}},
		{"** in the middle may be nothing", "a/**/b", Options{}, []string{"a/b", "a/x/b", "a/x/y/b", "a/b/b"}, []string{"ab", "a", "a/b/c", "x/a/b"}},
		{"a last ** is at least one segment", "a/**", Options{}, []string{"a/b", "a/b/c"}, []string{"a", "a/", "ab", "x/a/b"}},
		{"** alone is everything", "**", Options{}, []string{"a", "a/b"}, []string{""}},
		{"**/** is **", "a/**/**", Options{}, []string{"a/b", "a/b/c"}, []string{"a"}},
		{"two ** with a name between", "**/x/**/y", Options{}, []string{"x/y", "a/x/b/y", "x/x/y/y"}, []string{"x", "y/x", "a/y"}},
		{"no wildcard takes a leading dot", "*", Options{}, []string{"a", "a."}, []string{".a"}},
		{"nor does ?", "?a", Options{}, []string{"xa"}, []string{".a"}},
		{"nor does a class", "[.]a", Options{}, nil, []string{".a"}},
		{"nor does **", "**/a", Options{}, []string{"x/a"}, []string{".x/a", "x/.y/a"}},
		{"nor does a last **", "a/**", Options{}, []string{"a/b"}, []string{"a/.b", "a/.b/c", "a/b/.c"}},
		{"a dot that is named matches", ".a*/**", Options{}, []string{".ab/c"}, []string{".ab/.c", "xab/c"}},
		{"a dot that is named between two **", "**/.x/**", Options{}, []string{".x/a", "b/.x/a"}, []string{".y/.x/a"}},
		{"with DotFiles a dot is like any other", "**/*.*", dots, []string{".env", ".git/config.x", "a/.b/.c"}, []string{"a/b"}},
		{"with DotFiles also for ? and classes", "?[.]", dots, []string{".."}, []string{"."}},
		{"braces are ordinary", "{a,b}", Options{}, []string{"{a,b}"}, []string{"a", "b"}},
		{"! is ordinary outside a class", "!a*", Options{}, []string{"!ab"}, []string{"ab", "x"}},
		{"extended globs are ordinary", "+(a)", Options{}, []string{"+(a)"}, []string{"a", "aa"}},
		{"a backslash is ordinary", `a\*`, Options{}, []string{`a\b`}, []string{"a*", "a/b"}},
		{"a slash at the end does not count", "a/*/", Options{}, []string{"a/b", "a/b/", "a//b"}, []string{"a"}},
		{"a line break is a character", "a*b", Options{}, []string{"a\nb"}, nil},
		{"dotted names have one segment", "shop.*", Options{}, []string{"shop.products", "shop.a.b"}, []string{"shop", "x.shop.a"}},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			p, err := Compile(tt.pattern, tt.options)
			if err != nil {
				t.Fatal(err)
			}
			holdsFor(t, p, p.Match, tt.yes, tt.no)
			if p.String() != tt.pattern {
				t.Errorf("String() is %q, want %q", p, tt.pattern)
			}
		})
	}
}

// holdsFor checks what a pattern says about paths.
func holdsFor(t *testing.T, p *Pattern, says func(path string) bool, yes, no []string) {
	t.Helper()
	for _, path := range yes {
		if !says(path) {
			t.Errorf("%q: got no for %q", p, path)
		}
	}
	for _, path := range no {
		if says(path) {
			t.Errorf("%q: got yes for %q", p, path)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]string{ // pattern: what the error says
		"":            "empty",
		"//":          "begins with /",
		"/a":          "begins with /",
		"a/../b":      `".." never matches`,
		"./a":         `"." never matches`,
		"a[b":         "write [[]",
		"a[b/c]":      "write [[]",
		"[]":          "write [[]",
		"[z-a]":       "z-a is empty",
		"[[:alpha:]]": "not supported",
		"[\xff]":      "not UTF-8",
	}
	for pattern, want := range tests {
		if _, err := Compile(pattern, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Compile(%q): got %v, want an error with %q", pattern, err, want)
		}
	}
}

func TestCouldMatchBelow(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pattern string
		yes, no []string
	}{
		{"*.txt", []string{""}, []string{"a", "a.txt", "a/b"}},
		{"**/*.txt", []string{"", "a", "a/b"}, []string{".git", "a/.b"}},
		{"a/*/c", []string{"", "a", "a/b", "a/"}, []string{"b", "a/b/c", "a/.b"}},
		{"a/**", []string{"", "a", "a/b", "a/b/c"}, []string{"b", "a/.b"}},
		{"docs/**/img/*.png", []string{"", "docs", "docs/x", "docs/img", "docs/x/img"}, []string{"src", "src/docs"}},
	}
	for _, tt := range tests {
		p, err := Compile(tt.pattern, Options{})
		if err != nil {
			t.Fatal(err)
		}
		holdsFor(t, p, p.CouldMatchBelow, tt.yes, tt.no)
	}
}

// Patterns with many stars take exponential time where each star is tried again for each other.
func TestNoPatternTakesLong(t *testing.T) {
	t.Parallel()
	tests := []struct{ pattern, path string }{
		{strings.Repeat("a*", 200) + "b", strings.Repeat("a", 4000)},
		{strings.Repeat("*?", 200) + "b", strings.Repeat("a", 4000)},
		{strings.Repeat("**/a/", 100) + "b", strings.Repeat("a/", 2000)},
		{strings.Repeat("**/a*a*a*/", 100) + "b", strings.Repeat("aaaaaaaaaa/", 1000)},
	}
	for _, tt := range tests {
		p, err := Compile(tt.pattern, Options{})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if p.Match(tt.path) {
			t.Errorf("%.20s... matches", tt.pattern)
		}
		if took := time.Since(start); took > 2*time.Minute {
			t.Errorf("%.20s... took %s", tt.pattern, took)
		}
	}
}

// FuzzMatch compares with a plain recursive matcher, and holds that no parent of a path that matches
// is skipped.
func FuzzMatch(f *testing.F) {
	for _, s := range [][2]string{
		{"**/*.*", "a/b.c"},
		{"a/**/b", "a/x/y/b"},
		{"[!a-c]?*", "déf"},
		{"*a*b*", "xaxbx"},
		{"**/.x/**/y", "a/.x/.b/y"},
		{"**/a/.x/**/b", "a/.x/a/.x/b"},
		{"a//b/", "a/b//"},
		{"[]-a]", "]"},
	} {
		f.Add(s[0], s[1], false)
		f.Add(s[0], s[1], true)
	}
	f.Fuzz(func(t *testing.T, pattern, name string, dotFiles bool) {
		if len(pattern) > 30 || len(name) > 40 || strings.Count(pattern, "*") > 8 {
			return // the plain matcher is exponential
		}
		p, err := Compile(pattern, Options{DotFiles: dotFiles})
		if err != nil {
			return
		}
		got := p.Match(name)
		if want := plainPath(p.segments, split(name), dotFiles); got != want {
			t.Errorf("%q.Match(%q) is %t, the plain matcher says %t", pattern, name, got, want)
		}
		if !got {
			return
		}
		names := split(name)
		for i := range names {
			if dir := strings.Join(names[:i], "/"); !p.CouldMatchBelow(dir) {
				t.Errorf("%q matches %q, but %q is skipped", pattern, name, dir)
			}
		}
	})
}

func split(name string) []string {
	return strings.FieldsFunc(name, func(r rune) bool { return r == '/' })
}

func plainPath(pattern []segment, names []string, dotFiles bool) bool {
	if len(pattern) == 0 {
		return len(names) == 0
	}
	s := pattern[0]
	if !s.deep {
		return len(names) > 0 && plainName(s, names[0], dotFiles) && plainPath(pattern[1:], names[1:], dotFiles)
	}
	if len(pattern) > 1 && plainPath(pattern[1:], names, dotFiles) {
		return true
	}
	if len(names) == 0 || (names[0][0] == '.' && !dotFiles) {
		return false
	}
	return (len(pattern) == 1 && len(names) == 1) || plainPath(pattern, names[1:], dotFiles)
}

func plainName(s segment, name string, dotFiles bool) bool {
	if s.tokens == nil {
		return s.literal == name
	}
	if name[0] == '.' && !dotFiles && s.tokens[0].kind != literal {
		return false
	}
	return plainTokens(s.tokens, name)
}

func plainTokens(tokens []token, name string) bool {
	if len(tokens) == 0 {
		return name == ""
	}
	if tokens[0].kind != anyRun {
		size, ok := tokens[0].one(name)
		return ok && plainTokens(tokens[1:], name[size:])
	}
	for { // the star ends at the beginning of a character
		if plainTokens(tokens[1:], name) {
			return true
		}
		if name == "" {
			return false
		}
		_, size := utf8.DecodeRuneInString(name)
		name = name[size:]
	}
}

func BenchmarkMatch(b *testing.B) {
	p, err := Compile("**/*.*", Options{DotFiles: true})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		p.Match("docs/sources/postgresql/types.md")
	}
}
