package commands

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/draft"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/interview"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
)

func newInit(a *setup.App) *cli.Command {
	return &cli.Command{
		Name:  "init",
		Usage: "ask a few questions and write a configuration file",
		Description: "Asks what to mirror and where to, tries both connections, and writes a configuration file with comments: ./config.yml, " +
			"or the one that -c names. Secrets go into the file .env beside it, which only its owner can read. Then it prints the next " +
			"commands and a line for a crontab. An existing file is not replaced without --force.",
		UsageText: `# a commented file with all fields of a source, without questions
elastic-ingest init --service-type postgresql --non-interactive`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "service-type", Usage: "`TYPE`: source type, such as postgresql; elastic-ingest list sources prints them"},
			&cli.BoolFlag{Name: "non-interactive", Usage: "ask nothing: print a template of the source type, or write it to the file that -c names"},
			&cli.BoolFlag{Name: "force", Usage: "replace an existing configuration file"},
		},
		Action: func(c *cli.Context) error { return runInit(c.Context, a, c) },
	}
}

func runInit(ctx context.Context, a *setup.App, c *cli.Context) error {
	g, err := readGlobals(c)
	if err != nil {
		return err
	}
	if c.Args().Present() {
		return &usage.Error{Problem: fmt.Sprintf("unexpected argument %s", term.Quoted(c.Args().First())), Hint: "-c FILE names the file to write"}
	}
	serviceType := c.String("service-type")
	if serviceType != "" {
		if _, err := sourceType(a.Registry, serviceType); err != nil {
			return err
		}
	}
	if c.Bool("non-interactive") {
		return printTemplate(a, serviceType, g.ConfigFile, c.Bool("force"))
	}
	if !a.Streams.Asks() {
		return &usage.Error{Problem: "init asks questions, but there is no terminal", Hint: "init --service-type TYPE --non-interactive prints a template"}
	}
	file, err := target(g.ConfigFile, c.Bool("force"))
	if err != nil {
		return err
	}
	dotenv := filepath.Join(filepath.Dir(file), ".env")
	if other := a.Getenv("ENV_FILE"); other != "" { // it is read instead
		dotenv = other
		if !filepath.IsAbs(other) {
			dotenv = filepath.Join(filepath.Dir(file), other)
		}
	}
	iv := &interview.Interview{App: a, Messages: a.Messages(&g), File: file, Dotenv: dotenv, Type: serviceType}
	d, secrets, err := iv.Run(ctx)
	if err != nil {
		return err
	}
	unused := draft.Unused(file, d.Text(), dotenv)
	if err := save(file, d.Text(), dotenv, secrets, c.Bool("force")); err != nil {
		return err
	}
	out := nextSteps(file, dotenv, d.Name, len(secrets) > 0)
	if len(unused) > 0 {
		out += fmt.Sprintf("\n%s still sets %s, which this configuration no longer uses.\n", term.Plain(dotenv), strings.Join(unused, ", "))
	}
	unset := iv.Unset()
	if len(unset) > 0 {
		out += "\n"
	}
	if err := a.WriteOut(out); err != nil {
		return err
	}
	if len(unset) > 0 { // the last line, so that no one leaves without having read it
		iv.Messages.Warn(missingVariables(unset, dotenv))
	}
	return nil
}

// missingVariables says what to do about variables that the new file refers to.
func missingVariables(names []string, dotenv string) string {
	are, them := "is", "it"
	if len(names) > 1 {
		are, them = "are", "them"
	}
	return fmt.Sprintf("%s %s not set here: add %s to %s (cron does not have your shell's variables)", strings.Join(names, ", "), are, them, term.Plain(dotenv))
}

// printTemplate prints the template of a source type, or writes it to a file.
func printTemplate(a *setup.App, serviceType, to string, force bool) error {
	if serviceType == "" {
		return &usage.Error{Problem: "init --non-interactive needs --service-type", Hint: "one of " + strings.Join(a.Registry.Names(), ", ")}
	}
	t, err := sourceType(a.Registry, serviceType)
	if err != nil {
		return err
	}
	text := draft.Template(t).Text()
	if to == "" {
		return a.WriteOut(text)
	}
	file, err := target(to, force)
	if err != nil {
		return err
	}
	return save(file, text, "", nil, force)
}

// target is the file to write, absolute. It must not exist, and its folder must.
func target(named string, force bool) (string, error) {
	if named == "" {
		named = "config.yml"
	}
	file, err := filepath.Abs(named)
	if err != nil {
		return "", err
	}
	if strings.EqualFold(filepath.Ext(file), ".toml") {
		return "", &usage.Error{Problem: "init writes YAML, but " + term.Plain(named) + " names a TOML file", Hint: "choose a name that ends in .yml"}
	}
	if info, err := os.Stat(filepath.Dir(file)); err != nil || !info.IsDir() {
		return "", &usage.Error{Problem: fmt.Sprintf("cannot write %s: there is no folder %s", term.Plain(named), term.Plain(filepath.Dir(file))), Hint: "create the folder"}
	}
	if info, err := os.Lstat(file); err == nil && (!force || !info.Mode().IsRegular()) {
		return "", &usage.Error{Problem: term.Plain(named) + " exists already", Hint: "name another file with -c FILE, or replace it with --force"}
	}
	return file, nil
}

func save(file, text, dotenv string, secrets []draft.Secret, force bool) error {
	err := draft.Save(file, text, dotenv, secrets, force)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrPermission) {
		return &usage.Error{Problem: "cannot write " + term.Plain(file) + ": " + term.Plain(err.Error()), Hint: "name another file with -c FILE"}
	}
	return err
}

// nextSteps is what to do with the new file. The crontab line names program and file by their absolute paths, because
// cron has another PATH and another working directory.
func nextSteps(file, dotenv, name string, secrets bool) string {
	self, err := os.Executable()
	if err != nil {
		self = program.Name
	}
	var b strings.Builder
	fmt.Fprintf(&b, "wrote %s\n", term.Plain(file))
	if secrets {
		fmt.Fprintf(&b, "wrote %s, readable only by you\n", term.Plain(dotenv))
	}
	with := term.ShellWord(name) + " -c " + term.ShellWord(file)
	fmt.Fprintf(&b, "\nCheck it, see the changes, sync:\n\n")
	fmt.Fprintf(&b, "  %s check %s\n", term.ShellWord(self), with)
	fmt.Fprintf(&b, "  %s diff %s\n", term.ShellWord(self), with)
	fmt.Fprintf(&b, "  %s sync %s\n", term.ShellWord(self), with)
	line := fmt.Sprintf("%s sync %s -q", term.ShellWord(self), with)
	fmt.Fprintf(&b, "\nEvery night, as a line of crontab -e:\n\n")
	fmt.Fprintf(&b, "  15 2 * * *  %s\n", strings.ReplaceAll(line, "%", `\%`))
	return b.String()
}
