package commands

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/records"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
)

// opening is [records.Open], or [records.LookUp] for a command that writes nothing.
type opening func(context.Context, *setup.App, *setup.Flags, func(context.Context, *records.Desk) error) error

// recordOptions are shared by the commands on the records of connectors and sync jobs.
type recordOptions struct {
	setup.Flags
	open   opening
	output string // text or json
}

func (o *recordOptions) shared() *recordOptions { return o }

// readRecordOptions reads the flags of a command that prints text or an object.
func readRecordOptions(c *cli.Context, open opening) (recordOptions, error) {
	g, err := readGlobals(c)
	if err != nil {
		return recordOptions{}, err
	}
	o := recordOptions{Flags: g, open: open, output: c.String("output")}
	return o, oneOf("output", o.output, []string{output.Text, output.JSON})
}

// print prints the result of a command, as --output says.
func (o *recordOptions) print(d *records.Desk, object any, text string) error {
	if o.output == output.JSON {
		text = output.JSONLine(object)
	}
	return d.App.WriteOut(text)
}

// printNew prints the result of a command that has created a record. If that is not possible, the error says that
// the record exists: what is a connector or a sync job, and id its id.
func (o *recordOptions) printNew(d *records.Desk, what, id string, object any) error {
	err := o.print(d, object, id+"\n")
	if err != nil {
		return fmt.Errorf("%s %s was created, but its id could not be printed: %w", what, term.Quoted(id), err)
	}
	return nil
}

// onRecords is the action of a command on records: it reads the flags, opens the records and runs the command.
func onRecords[O interface{ shared() *recordOptions }](a *setup.App, read func(*cli.Context) (O, error), run func(context.Context, *records.Desk, O) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		o, err := read(c)
		if err != nil {
			return err
		}
		s := o.shared()
		return s.open(c.Context, a, &s.Flags, func(ctx context.Context, d *records.Desk) error { return run(ctx, d, o) })
	}
}

// oneRecord is the record that a command with one argument is about.
type oneRecord struct {
	recordOptions
	name string
}

// readOne returns the function that reads the flags of a command with one argument; what says what it names.
func readOne(open opening, command, what string) func(*cli.Context) (*oneRecord, error) {
	return func(c *cli.Context) (*oneRecord, error) {
		shared, err := readRecordOptions(c, open)
		if err != nil {
			return nil, err
		}
		if c.Args().Len() != 1 {
			return nil, &usage.Error{Problem: fmt.Sprintf("%s takes one argument: %s", command, what)}
		}
		return &oneRecord{shared, c.Args().First()}, nil
	}
}
