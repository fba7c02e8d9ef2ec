package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/shape"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// described is what a source says before its documents are read.
type described struct {
	listed bool          // parts and err stand in place of the source's list
	parts  []source.Part // in its order
	err    error         // what broke the list off
	fields shape.Fields  // of all parts
	clash  plan.Clashes
	undone error // the first part that could not be described for a reason that may pass
}

// describeSource lists the parts of a source that describes them, and unites what they say.
func (r *run) describeSource(ctx context.Context, src source.Source) error {
	d := &r.described
	d.fields = shape.Fields{}
	d.fields.Add([]source.DescribedField{{Name: "_timestamp", Kind: source.Date}})
	if common := r.job.Type.CommonFields; common != nil {
		d.fields.Add(common(r.job.Values))
	}
	if !r.job.Type.Describes || r.job.Kind != Mirror {
		return nil
	}
	r.phase("describing the source")
	ctx, stop := r.limited(ctx)
	defer stop()
	d.listed = true
	err := guarded(func() error {
		for part, err := range src.Parts(ctx) {
			if err != nil {
				d.err = err
				break
			}
			d.parts = append(d.parts, part)
		}
		return nil
	})
	if err != nil || ctx.Err() != nil { // the reading, which asks for the list, says what that means
		return err
	}
	return r.describeParts(ctx)
}

func (r *run) describeParts(ctx context.Context) error {
	d := &r.described
	found := make([]source.Description, len(d.parts))
	failed := make([]error, len(d.parts))
	var g errgroup.Group
	g.SetLimit(r.deps.Readers)
	for i, part := range d.parts {
		p, ok := part.(source.Describer)
		if !ok {
			continue
		}
		g.Go(func() error { // ends with its part
			return guarded(func() (err error) {
				found[i], failed[i] = p.Describe(ctx)
				return nil
			})
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i, part := range d.parts {
		if err := failed[i]; err != nil {
			r.deps.Log.Debug("the fields are not known before they are read", report.Part, part.Name(), report.Err, err.Error())
			if d.undone == nil && (errors.Is(err, source.ErrTemporary) || errors.Is(err, source.ErrUnreachable)) {
				d.undone = fmt.Errorf("describe %s: %w", part.Name(), err)
			}
			continue
		}
		d.fields.Add(written(found[i].Fields))
		d.clash.Add(part.Scope(), found[i].IDPrefix, found[i].NumericIDs)
	}
	d.clash.Settle()
	return nil
}

// written are the fields under the names that they have in _source.
func written(fields []source.DescribedField) []source.DescribedField {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	out := slices.Clone(fields)
	for i, name := range document.WrittenNames(names) {
		out[i].Name = name
	}
	return out
}

// The settings of an index that is created, by name without "index.", with the version that brought
// each. See docs/index-settings.md.
var shapeSettings = []struct {
	name  string
	value any
	since [2]int
}{
	{"mapping.ignore_malformed", true, [2]int{8, 0}},
	{"mapping.total_fields.ignore_dynamic_beyond_limit", true, [2]int{8, 14}},
	{"mapping.exclude_source_vectors", false, [2]int{9, 2}},
}

// create creates the index: with what the connector says, over what the source's fields ask for.
func (r *run) create(ctx context.Context) error {
	if r.described.undone != nil {
		// A field whose kind is not known now would be mapped by its first value, for good.
		return r.described.undone
	}
	var left []string
	var err error
	o, room := shape.Options{}, r.job.Create.FieldLimit()
	for {
		creation := r.job.Create
		if r.job.Kind != AccessControl {
			creation, err = r.shaped(o, room)
		}
		if err == nil {
			err = r.ours(ctx)
		}
		if err == nil {
			r.index, left, err = r.deps.Client.CreateIndex(ctx, r.job.Index, elastic.Marker{Owner: r.job.Owner, Identity: r.identity()}, creation)
		}
		switch {
		case elastic.LacksUnsignedLong(err) && !o.NoUnsignedLong:
			o.NoUnsignedLong = true
			continue
		case elastic.LacksRoom(err) && room > 0: // an index template takes some of it: [run.extend] sees how much is left
			room = 0
			continue
		}
		break
	}
	if err != nil {
		return err
	}
	r.absent = false
	if len(left) > 0 {
		r.deps.Log.Debug("the destination does not have these settings", report.Index, r.index.Name, "settings", strings.Join(left, ", "))
	}
	if named := r.mappedByFile(); len(named) > 0 && r.job.Kind != AccessControl {
		r.deps.Log.Info("the mappings file has types for fields that the source describes: the file wins",
			report.Index, r.index.Name, "fields", strings.Join(named, ", "))
	}
	return nil
}

// shaped is what the index is created with, which has room for so many fields of the source.
func (r *run) shaped(o shape.Options, room int) (elastic.Creation, error) {
	settings := map[string]any{}
	var optional []string
	for _, s := range shapeSettings {
		if r.info.HasSetting(s.since) {
			settings[s.name] = s.value
			optional = append(optional, s.name)
		}
	}
	o.Text = r.job.Create.TextMapping()
	base, err := elastic.NewCreation(settings, map[string]any{
		"date_detection":    false,
		"dynamic_templates": []any{map[string]any{"double": map[string]any{"match_mapping_type": "double", "mapping": map[string]any{"type": "double"}}}},
		"properties":        r.described.fields.Properties(o, room, r.job.Create.Maps),
	})
	if err != nil {
		return base, err
	}
	return r.job.Create.Over(base, optional), nil
}

// mappedByFile lists fields whose types in the mappings file are others than a new index would have.
func (r *run) mappedByFile() (names []string) {
	for _, d := range r.described.fields.Drift(r.index.Mapping.TypeOf, false) {
		if r.job.Create.Maps(d.Field) {
			names = append(names, d.Field)
		}
	}
	return names
}

// noteDrift notes the fields that the index maps otherwise than a new one would.
func (r *run) noteDrift() {
	m := &r.index.Mapping
	for _, d := range r.described.fields.Drift(m.TypeOf, !m.IgnoreMalformed) {
		if d.Field == "_timestamp" || r.job.Create.Maps(d.Field) {
			continue
		}
		r.drift = append(r.drift, d)
	}
	r.warnOfDrift()
}

// extend adds to the mapping of our own index the fields that it lacks.
func (r *run) extend(ctx context.Context, ix *elastic.Index) {
	if r.job.DryRun || r.job.Kind != Mirror || ix.Marker.Owner != r.job.Owner {
		return
	}
	m := &ix.Mapping
	o := shape.Options{GuessesDates: m.GuessesDates, Strict: !m.IgnoreMalformed, Text: r.job.Create.TextMapping()}
	var err error
	for {
		lacking := r.described.fields.Properties(o, m.Room(), func(path string) bool { return m.TypeOf(path) != "" || r.job.Create.Maps(path) })
		if len(lacking) == 0 || r.ours(ctx) != nil { // what is written next ends the run
			return
		}
		if err = r.deps.Client.AddFields(ctx, ix, lacking); !elastic.LacksUnsignedLong(err) || o.NoUnsignedLong {
			break
		}
		o.NoUnsignedLong = true
	}
	if err != nil {
		r.deps.Log.Warn("new fields could not be added to the mapping: Elasticsearch maps each by its first value; grant the privilege manage on the index",
			report.Index, ix.Name, report.Err, err.Error())
	}
}

// warnOfDrift says once a run which fields lose something. Where no value is refused it is worth no mail.
func (r *run) warnOfDrift() {
	var refused, lossy []string
	for _, d := range r.drift {
		text := fmt.Sprintf("%s (%s; in the source: %s)", d.Field, d.Mapped, d.Kind)
		if d.Refuses {
			refused = append(refused, text)
		} else {
			lossy = append(lossy, text)
		}
	}
	if len(refused) > 0 {
		r.deps.Log.Warn("the index maps fields to types that refuse some values of the source; to have none refused, sync into a new index or give the types in a mappings file",
			report.Index, r.index.Name, "fields", shortList(refused))
	}
	if len(lossy) > 0 {
		r.deps.Log.Info("the index maps fields otherwise than a new index would", report.Index, r.index.Name, "fields", shortList(lossy))
	}
}

// mostNamed is how many fields one message names.
const mostNamed = 20

func shortList(names []string) string {
	if more := len(names) - mostNamed; more > 0 {
		return strings.Join(names[:mostNamed], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, ", ")
}

// countIgnored learns, after a run that wrote, of which fields values could not be indexed.
func (r *run) countIgnored(ctx context.Context, now *elastic.Index) {
	if n := r.deps.Counters; n.Created.Load()+n.Updated.Load() == 0 {
		return
	}
	counts, ok, err := r.deps.Client.Ignored(ctx, now.Name)
	if err != nil {
		r.deps.Log.Debug("what could not be indexed is not known", report.Index, now.Name, report.Err, err.Error())
	}
	if err != nil || !ok {
		return
	}
	for field, n := range counts {
		if !now.Mapping.IsSubfield(field) {
			r.ignored = append(r.ignored, shape.Ignored{Field: field, Documents: n, Why: shape.WhyIgnored(now.Mapping.TypeOf(field))})
		}
	}
	slices.SortFunc(r.ignored, func(a, b shape.Ignored) int { return strings.Compare(a.Field, b.Field) })
}

// widen maps a field that the index does not have yet so that it takes numbers of any kind, or anything.
func (r *run) widen(ctx context.Context, field string, numbers bool) error {
	if r.index.Marker.Owner != r.job.Owner {
		return ErrForeign
	}
	if err := r.ours(ctx); err != nil {
		return err
	}
	kinds := []source.DescribedField{{Name: field, Kind: source.Double}}
	if !numbers {
		kinds = append(kinds, source.DescribedField{Name: field, Kind: source.Text})
	}
	f := shape.Fields{}
	f.Add(kinds)
	m := &r.index.Mapping
	o := shape.Options{Strict: !m.IgnoreMalformed, Text: r.job.Create.TextMapping()}
	return r.deps.Client.AddFields(ctx, r.index, f.Properties(o, m.Room(), func(string) bool { return false }))
}
