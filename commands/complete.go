package commands

import (
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/crash"
)

// completeCommand is what the scripts in completions call: completeCommand WORD... .CURRENT prints what the
// current word could be. The dot makes an empty word an argument in every shell. The library's own completion is
// not used: it knows flags only before arguments, and no values.
//
// The first line of the output is a kind: "words", "files" or "folders". Those of files are completed by the
// shell; words follow, one a line, with a tab and an explanation. It reads no more than the configuration file,
// and whatever is wrong, it prints nothing about it and exits with 0: it runs while the user is typing.
const completeCommand = "__complete"

const (
	ofWords   = "words"
	ofFiles   = "files"
	ofFolders = "folders"
)

// complete runs completeCommand.
func complete(app *cli.App, a *setup.App, args []string) error {
	_ = crash.Guarded(func() error {
		kind, found := completions(app, a, args)
		var b strings.Builder
		b.WriteString(kind + "\n")
		for _, c := range found {
			b.WriteString(c.word)
			if c.text != "" {
				b.WriteString("\t" + c.text)
			}
			b.WriteString("\n")
		}
		return a.WriteOut(b.String())
	})
	return nil
}

// completion is one word that the current one could become.
type completion struct{ word, text string }

// completions returns what the last of the words could be.
func completions(app *cli.App, a *setup.App, words []string) (kind string, found []completion) {
	if len(words) == 0 {
		return ofWords, nil
	}
	current := strings.TrimPrefix(words[len(words)-1], ".")
	typed := readTyped(app, words[:len(words)-1])
	c := &completer{app: app, a: a, typed: typed}
	kind = ofWords
	prefix := ""
	name, value, hasValue := strings.Cut(current, "=")
	switch {
	case typed.lost:
	case typed.pending != "":
		kind, found = c.values(typed.pending, current)
	case !typed.onlyNames && strings.HasPrefix(current, "-") && hasValue:
		prefix = name + "="
		kind, found = c.values(strings.TrimLeft(name, "-"), value)
	case !typed.onlyNames && strings.HasPrefix(current, "-"):
		found = c.flags()
	default:
		found = c.names()
	}
	kept := found[:0]
	for _, f := range found {
		f.word = prefix + f.word
		if strings.HasPrefix(f.word, current) && !strings.ContainsFunc(f.word, term.Escaped) {
			f.text = brief(f.text)
			kept = append(kept, f)
		}
	}
	return kind, kept
}

// typed is what stands before the current word.
type typed struct {
	command   *cli.Command
	names     int    // arguments of the command
	pending   string // the flag whose value comes next
	onlyNames bool   // after --
	lost      bool   // a word that is no command
	file      string // the value of --config-file
}

// readTyped reads words that are not complete and may be wrong.
func readTyped(app *cli.App, words []string) *typed {
	t, a := &typed{}, arranger{app: app}
	for _, word := range words {
		if t.pending != "" {
			t.configFile(t.pending, word)
			t.pending = ""
			continue
		}
		switch {
		case t.onlyNames || len(word) < 2 || word[0] != '-':
			t.word(app, word)
		case word == "--":
			t.onlyNames = true
		default:
			name, value, hasValue := strings.Cut(strings.TrimLeft(word, "-"), "=")
			if hasValue {
				t.configFile(name, value)
			} else if a.takesValue(name) {
				t.pending = name
			}
		}
	}
	return t
}

func (t *typed) configFile(flag, value string) {
	if flag == "config-file" || flag == "c" {
		t.file = value
	}
}

func (t *typed) word(app *cli.App, word string) {
	among := app.Commands
	if t.command != nil {
		among = t.command.Subcommands
		if len(among) == 0 {
			t.names++
			return
		}
	}
	at := slices.IndexFunc(among, func(c *cli.Command) bool { return c.Name == word && !c.Hidden })
	if at < 0 {
		t.lost = t.lost || word != "help"
		return
	}
	t.command = among[at]
}

// completer finds completions.
type completer struct {
	app   *cli.App
	a     *setup.App
	typed *typed
}

// names are commands, or what the command takes as its arguments.
func (c *completer) names() (found []completion) {
	among := c.app.Commands
	if c.typed.command != nil {
		among = c.typed.command.Subcommands
		if len(among) == 0 {
			return c.arguments()
		}
	}
	for _, command := range among {
		if !command.Hidden {
			found = append(found, completion{command.Name, command.Usage})
		}
	}
	return found
}

// arguments are the words that may stand at this place of the command, by its line of usage.
func (c *completer) arguments() []completion {
	places := strings.Fields(c.typed.command.ArgsUsage)
	if len(places) == 0 {
		return nil
	}
	place := places[min(c.typed.names, len(places)-1)]
	if c.typed.names >= len(places) && !strings.Contains(place, "...") {
		return nil
	}
	place = strings.Trim(place, "[].")
	switch place {
	case "CONNECTOR", "ID", "NAME", "ID|NAME|INDEX":
		return c.connectors()
	case "SERVICE_TYPE":
		return c.types()
	case "JOB":
		return nil
	}
	return plainWords(strings.Split(place, "|"))
}

func plainWords(words []string) (found []completion) {
	for _, word := range words {
		found = append(found, completion{word: word})
	}
	return found
}

func (c *completer) connectors() (found []completion) {
	file, err := config.Find(c.typed.file, c.a.Getenv)
	if err != nil {
		return nil
	}
	for _, name := range config.Names(file) {
		found = append(found, completion{name.Name, name.ServiceType})
	}
	return found
}

func (c *completer) types() (found []completion) {
	for _, t := range c.a.Registry.Types() {
		found = append(found, completion{t.Name, t.Title})
	}
	return found
}

// flags are the flags of the command and those of every command.
func (c *completer) flags() (found []completion) {
	flags := c.app.Flags
	if c.typed.command != nil {
		flags = slices.Concat(c.typed.command.Flags, flags)
	}
	for _, f := range flags {
		found = append(found, completion{dashed(f.Names()[0]), flagRow(f)[1]})
	}
	return append(found, completion{"--help", "print this help"})
}

// values are the values of a flag: files, or the words that its line of help lists.
func (c *completer) values(flag, current string) (kind string, found []completion) {
	flags := c.app.Flags
	if c.typed.command != nil {
		flags = slices.Concat(c.typed.command.Flags, flags)
	}
	f, ok := findFlag(flags, flag).(cli.DocGenerationFlag)
	if !ok {
		return ofWords, nil
	}
	placeholder, text, _ := strings.Cut(strings.TrimPrefix(f.GetUsage(), "`"), "`: ")
	switch {
	case placeholder == "FILE", strings.HasSuffix(placeholder, "=FILE") && strings.Contains(current, "="):
		return ofFiles, nil
	case placeholder == "DIR":
		return ofFolders, nil
	case strings.Contains(placeholder, "="): // words are names there, not values
		return ofWords, nil
	case flag == "service-type":
		return ofWords, c.types()
	}
	return ofWords, plainWords(listed(text))
}

var (
	inParentheses = regexp.MustCompile(`\s*\([^)]*\)`)
	enumeration   = regexp.MustCompile(`(?:^|: )((?:[A-Za-z_]+, )*[A-Za-z_]+ or [A-Za-z_]+)(?:[;.]|$)`)
)

// listed returns the words that a line of help lists, such as "text, json or ecs".
func listed(text string) []string {
	m := enumeration.FindStringSubmatch(inParentheses.ReplaceAllString(text, ""))
	if m == nil {
		return nil
	}
	return regexp.MustCompile(`, | or `).Split(m[1], -1)
}

// brief is the first clause of an explanation, on one line.
func brief(text string) string {
	text, _, _ = strings.Cut(inParentheses.ReplaceAllString(text, ""), "; ")
	text, _, _ = strings.Cut(text, ". ")
	const columns = 60
	return term.Shorten(term.Plain(text), columns)
}
