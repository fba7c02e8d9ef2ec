package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Status is how a finding is judged.
type Status string

// Ways to judge a finding.
const (
	StatusOK      Status = "ok"
	StatusNote    Status = "note"    // worth knowing
	StatusWarning Status = "warning" // a run works, but not as completely as it could
	StatusError   Status = "error"   // a run fails, or is incomplete
)

// Finding is one result of [Examine].
type Finding struct {
	Check   string // what was examined: index, source, mapping…
	Status  Status
	Message string
	Hint    string // what to do; "" for the hint of Err
	Err     error  // of StatusError
	// Unread reports that the error concerns some tables or folders, and the others can be read.
	Unread bool
}

// The names of what is examined.
const (
	CheckIndex   = "index"
	CheckSource  = "source"
	CheckMapping = "mapping"
)

// examination is a job that is looked at instead of run.
type examination struct {
	*task

	found func(Finding)
}

// Examine reports what a run of the job would meet. It writes nothing, neither to the source nor to the
// destination nor to the state folder, and takes no lock. Without a client it examines only the source. It tries
// to read one document of each table or folder, as long as deps.Until permits. found is not called concurrently.
// The error is the cause of ctx, or a crash.
func Examine(ctx context.Context, job Job, deps Deps, found func(Finding)) error {
	job.DryRun, deps.Observer = true, report.Unobserved{}
	x := &examination{newTask(job, deps, nil), found}
	return guarded(func() error { return x.examine(ctx) })
}

func (x *examination) examine(ctx context.Context) error {
	var d *destination
	if x.deps.Client != nil {
		d = x.index(ctx)
	}
	src, err := x.reachSource(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if x.deps.Until != nil && x.deps.Until.Err() != nil {
			err = fmt.Errorf("%w: it did not respond in the time for this check", source.ErrUnreachable)
		}
		x.fail(CheckSource, err)
		return nil
	}
	defer src.Close() //nolint:errcheck // nothing was written
	found, err := x.parts(ctx, src)
	if err == nil && d != nil {
		(&shaping{d, found.fields}).examine(x)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (x *examination) say(check string, status Status, message, hint string) {
	x.found(Finding{Check: check, Status: status, Message: message, Hint: hint})
}

func (x *examination) fail(check string, err error) {
	x.found(Finding{Check: check, Status: StatusError, Message: err.Error(), Err: err})
}

// reachSource opens the source, and checks its configuration and that it responds.
func (x *examination) reachSource(ctx context.Context) (source.Source, error) {
	connecting, stop := x.limited(ctx)
	defer stop()
	src, err := x.open(connecting)
	if err != nil {
		return nil, err
	}
	err = src.Validate(connecting)
	if err == nil {
		err = src.Ping(connecting)
	}
	if err != nil {
		_ = src.Close() // the error matters
		return nil, err
	}
	message := x.job.Type.Title + " responds"
	if of := x.job.identity(); of != "" {
		message += " (" + of + ")"
	}
	x.say(CheckSource, StatusOK, message, "")
	return src, nil
}

// index looks the index up and reports what a run could do with it. It is nil if that is unknown.
func (x *examination) index(ctx context.Context) *destination {
	d := &destination{task: x.task, index: &elastic.Index{Name: x.job.Index}, absent: true}
	index, err := x.deps.Client.Index(ctx, x.job.Index)
	if err == nil {
		err = x.job.mayHold(index)
	}
	switch {
	case errors.Is(err, elastic.ErrNotFound):
		x.say(CheckIndex, StatusOK, fmt.Sprintf("index %q does not exist yet; sync creates it", x.job.Index), "")
	case err != nil:
		x.fail(CheckIndex, err)
		return nil
	default:
		d.index, d.absent = index, false
		if err := x.owner(ctx, d); err != nil {
			x.fail(CheckIndex, err)
		}
		x.blocks(d)
	}
	if _, err := d.decideRecipe(ctx); err != nil {
		x.fail(CheckIndex, err)
	}
	return d
}

// owner reports whose the index is, by the rules of [scanned.settleOwner].
func (x *examination) owner(ctx context.Context, d *destination) error {
	n, err := x.deps.Client.Count(ctx, d.index.Name)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("index %q", d.index.Name)
	if d.index.Name != x.job.Index {
		name = fmt.Sprintf("index %q (alias %q)", d.index.Name, x.job.Index)
	}
	m := &d.index.Marker
	adopt := "if it is this connector's, take it over with sync --adopt; with --dry-run it shows what that would change"
	switch {
	case m.Owner == x.job.Owner && !d.sameIdentity():
		x.say(CheckIndex, StatusWarning, fmt.Sprintf("%s mirrors another source (%s): deletes are held back", name, m.Identity), adopt)
	case m.Owner == x.job.Owner:
		x.say(CheckIndex, StatusOK, fmt.Sprintf("%s belongs to this connector and holds %s", name, counted(n, "document")), "")
	case m.Owner != "":
		x.found(Finding{
			Check: CheckIndex, Status: StatusError, Err: ErrConfig,
			Message: fmt.Sprintf("%s %s, %s: sync writes nothing", name, ErrForeign, m.Owner), Hint: "use another index_name, or " + adopt,
		})
	case n > 0 && !x.job.AdoptUnowned:
		x.say(CheckIndex, StatusWarning, fmt.Sprintf("%s holds %s and has no owner: deletes are held back", name, counted(n, "document")), adopt)
	default:
		x.say(CheckIndex, StatusOK, fmt.Sprintf("%s has no owner yet; sync takes it", name), "")
	}
	if lacking := d.index.Lacks(x.job.Create); len(lacking) > 0 {
		x.say(CheckIndex, StatusNote, fmt.Sprintf("%s lacks the configured analysis: %s", name, strings.Join(lacking, ", ")), "sync --rebuild makes an index with it")
	}
	return nil
}

// counted is a number of things.
func counted(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// blocks reports settings that refuse every write.
func (x *examination) blocks(d *destination) {
	for _, block := range d.index.Blocks {
		why := ""
		if strings.HasSuffix(block, "allow_delete") {
			why = "; Elasticsearch sets it when a disk is nearly full, so free space first"
		}
		x.found(Finding{
			Check: CheckIndex, Status: StatusError, Err: ErrConfig, Message: fmt.Sprintf("index %q refuses writes: %s is set", d.index.Name, block),
			Hint: fmt.Sprintf("PUT /%s/_settings {%q: null}%s", d.index.Name, block, why),
		})
	}
}

// examine reports what the mapping loses, and whether the source's fields fit into it.
func (s *shaping) examine(x *examination) {
	if !s.absent {
		refused, lossy := sorted(s.drift())
		if len(refused) > 0 {
			x.say(CheckMapping, StatusWarning, fmt.Sprintf("index %q rejects some values of %s", s.index.Name, shortList(refused)),
				"give the index the types of a new one with sync --rebuild, or set types in a mappings file")
		}
		if len(lossy) > 0 {
			x.say(CheckMapping, StatusNote, fmt.Sprintf("index %q maps fields differently from a new index: %s", s.index.Name, shortList(lossy)), "")
		}
	}
	s.examineRoom(x)
}

// examineRoom compares the fields that the source describes with the limit of the index.
func (s *shaping) examineRoom(x *examination) {
	limit, room := s.job.Create.FieldLimit(), s.job.Create.FieldLimit()
	if !s.absent {
		limit, room = s.index.Mapping.Limit, s.index.Mapping.Room()
	}
	lacking := 0
	for path, kind := range s.fields {
		if s.index.Mapping.TypeOf(path) != "" {
			continue
		}
		if lacking++; kind == source.Text { // dynamic mapping adds a sub-field
			lacking++
		}
	}
	hint := fmt.Sprintf("set index.mapping.total_fields.limit to %d ", max(2*limit, limit-room+lacking))
	if s.absent {
		hint += "in the settings of the connector's mappings file"
	} else {
		hint += fmt.Sprintf("with PUT /%s/_settings", s.index.Name)
	}
	switch {
	case lacking > room:
		x.say(CheckMapping, StatusWarning, fmt.Sprintf("the source has %d fields that index %q lacks, and its limit of %d leaves room for %d: the others are not indexed, or their documents are rejected",
			lacking, s.index.Name, limit, room), hint)
	case !s.absent && (room-lacking)*10 < limit:
		x.say(CheckMapping, StatusNote, fmt.Sprintf("index %q is near its limit of %d fields: room for %d", s.index.Name, limit, room-lacking), hint)
	case len(s.fields) > 1:
		x.say(CheckMapping, StatusOK, fmt.Sprintf("index %q has room for the fields of the source", s.index.Name), "")
	}
}
