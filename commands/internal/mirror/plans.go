package mirror

import (
	"fmt"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/planfile"
)

// plans are the saved plans named on the command line; nil for those that are not.
type plans struct {
	save *planfile.Writer // of a diff
	use  *planfile.Plan   // of a sync, or of a diff that checks it again
	path string           // of the plan to use
}

// openPlan loads the plan to use. It chooses the connector, its parts and how they are compared.
func (b *batch) openPlan() error {
	path, o := b.o.Files.Plan, b.o
	if path == "" {
		return nil
	}
	p, err := planfile.Load(path)
	if err != nil {
		return &usage.Error{Problem: err.Error()}
	}
	if len(o.Names) == 0 {
		o.Names = []string{p.Connector}
	}
	if !slices.Equal(o.Names, []string{p.Connector}) {
		return &usage.Error{
			Problem: fmt.Sprintf("%s is a plan of the connector %s, not of %s", path, term.Quoted(p.Connector), term.Plain(strings.Join(o.Names, ", "))),
			Hint:    "leave out the name: the plan has it",
		}
	}
	o.Parts, o.Compare = p.Parts, engine.Compare(p.Compare)
	b.plans.use, b.plans.path = p, path
	return nil
}

// savePlan names the plan that a diff saves, once the connectors are chosen.
func (b *batch) savePlan() error {
	path := b.o.Files.Save
	if path == "" {
		return nil
	}
	if len(b.works) != 1 {
		return &usage.Error{Problem: fmt.Sprintf("--save saves the plan of one connector, not of %d", len(b.works)), Hint: "name one connector, and save a plan for each"}
	}
	name := b.works[0].connector.Name
	if len(b.unknown) > 0 {
		name = b.unknown[0]
	}
	b.plans.save = planfile.NewWriter(path, planfile.Header{Time: b.started.UTC(), Connector: name, Parts: b.o.Parts, Compare: string(b.o.Compare)})
	if err := b.plans.save.Ready(); err != nil {
		return &usage.Error{Problem: err.Error(), Hint: "--save needs the name of a writable file"}
	}
	return nil
}

// bound adds the plan to use to a job. A diff that checks a plan again reads only the parts with changes.
func (p *plans) bound(job *engine.Job) {
	if job.Plan = p.use; p.use == nil || !job.DryRun {
		return
	}
	wants := job.Wants
	job.Wants = func(scope string) bool { return (wants == nil || wants(scope)) && p.use.Concerns(scope) }
}

// concluded completes the plan of a run, or removes that of a run that failed, and reports it with the outcome.
func (p *plans) concluded(o *ran) {
	if p.save != nil {
		if o.Err != nil {
			p.save.Abandon()
		} else if o.Err = p.save.Finish(); o.Err == nil {
			o.Plan = &output.Plan{File: p.save.Path(), Changes: p.save.Len()}
		}
	}
	if p.use != nil {
		o.Plan = &output.Plan{File: p.path, Changes: p.use.Len()}
		o.Plan.Same, o.Plan.Moved, o.Plan.Gone = p.use.Counts()
	}
}

// planRemarks are the lines about a plan after the result of a connector.
func (o *ran) planRemarks(opt *Options) (lines []string) {
	p := o.Plan
	if p == nil || o.Err != nil || opt.Quiet {
		return nil
	}
	changes := term.Plural(p.Changes, "change", "changes")
	if opt.Files.Save != "" {
		lines = []string{"saved a plan without changes in " + p.File}
		if p.Changes > 0 {
			words := []string{program.Name, "sync", "--plan", p.File}
			if opt.ConfigFile != "" {
				words = append(words, "-c", opt.ConfigFile)
			}
			for i := range words {
				words[i] = term.ShellWord(words[i])
			}
			lines = []string{fmt.Sprintf("saved a plan of %s in %s; to make them: %s", changes, p.File, strings.Join(words, " "))}
		}
		if o.Result.Withheld[plan.GuardRefused] > 0 {
			lines = append(lines, "the deletes that the guard holds back are not in the plan; a higher --max-deletes adds them")
		}
		return lines
	}
	if opt.Dry {
		return []string{fmt.Sprintf("of %s in the plan, %s still differ the same way, %s differ in another way, %s no longer differ",
			changes, term.Number(p.Same), term.Number(p.Moved), term.Number(p.Gone))}
	}
	if p.Gone > 0 {
		lines = append(lines, term.Plural(p.Gone, "change of the plan was", "changes of the plan were")+" no longer needed")
	}
	return lines
}
