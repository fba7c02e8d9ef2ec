package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/shape"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// shaping adapts the mapping of the index to the fields that the source describes.
type shaping struct {
	*destination

	fields shape.Fields
}

// Settings of a new index, by name without "index.", with the version that introduced each. See
// docs/index-settings.md.
var shapeSettings = []struct {
	name  string
	value any
	since [2]int
}{
	{"mapping.ignore_malformed", true, [2]int{8, 0}},
	{"mapping.total_fields.ignore_dynamic_beyond_limit", true, [2]int{8, 14}},
	{"mapping.exclude_source_vectors", false, [2]int{9, 2}},
}

// create creates the index: from the source's fields, overridden by the connector's mappings file. undone is why
// some of the fields are unknown.
func (s *shaping) create(ctx context.Context, undone error) error {
	if undone != nil {
		// A field of unknown kind would be mapped by its first value, permanently.
		return undone
	}
	var left []string
	var err error
	o, room := shape.Options{}, s.job.Create.FieldLimit()
	for {
		creation := s.job.Create
		if s.job.Kind != AccessControl {
			creation, err = s.shaped(o, room)
		}
		if err == nil {
			err = s.ours(ctx)
		}
		if err == nil {
			s.index, left, err = s.deps.Client.CreateIndex(ctx, s.job.Index, elastic.Marker{Owner: s.job.Owner, Identity: s.job.identity()}, creation)
		}
		switch {
		case elastic.LacksUnsignedLong(err) && !o.NoUnsignedLong:
			o.NoUnsignedLong = true
			continue
		case elastic.LacksRoom(err) && room > 0: // an index template uses some of it: [shaping.extend] sees how much remains
			room = 0
			continue
		}
		break
	}
	if err != nil {
		return err
	}
	s.absent, s.created = false, true
	s.outcome.note(func(res *Result) { res.Index = s.index.Name })
	if len(left) > 0 {
		s.deps.Log.Debug("the destination does not support these settings", report.Index, s.index.Name, "settings", strings.Join(left, ", "))
	}
	if named := s.mappedByFile(); len(named) > 0 && s.job.Kind != AccessControl {
		s.deps.Log.Info("the mappings file overrides the source's types of these fields",
			report.Index, s.index.Name, "fields", strings.Join(named, ", "))
	}
	return nil
}

// preview records what the index would look like, for a dry run.
func (s *shaping) preview() error {
	creation := s.job.Create
	if s.job.Kind != AccessControl {
		var err error
		if creation, err = s.shaped(shape.Options{}, creation.FieldLimit()); err != nil {
			return err
		}
	}
	s.outcome.note(func(res *Result) {
		res.Creates = &NewIndex{Owner: s.job.Owner, Fields: creation.Fields(), Open: !s.job.Type.Describes}
	})
	return nil
}

// shaped is how the index is created, with room for the given number of the source's fields.
func (s *shaping) shaped(o shape.Options, room int) (elastic.Creation, error) {
	settings := map[string]any{}
	var optional []string
	for _, one := range shapeSettings {
		if s.info.HasSetting(one.since) {
			settings[one.name] = one.value
			optional = append(optional, one.name)
		}
	}
	o.Text = s.job.Create.TextMapping()
	base, err := elastic.NewCreation(settings, map[string]any{
		"date_detection":    false,
		"dynamic_templates": []any{map[string]any{"double": map[string]any{"match_mapping_type": "double", "mapping": map[string]any{"type": "double"}}}},
		"properties":        s.fields.Properties(o, room, s.job.Create.Maps),
	})
	if err != nil {
		return base, err
	}
	return s.job.Create.Over(base, optional), nil
}

// mappedByFile lists the fields whose types in the mappings file differ from those of a new index.
func (s *shaping) mappedByFile() (names []string) {
	for _, d := range s.fields.Drift(s.index.Mapping.TypeOf, false) {
		if s.job.Create.Maps(d.Field) {
			names = append(names, d.Field)
		}
	}
	return names
}

// noteDrift records the fields whose mapping differs from that of a new index.
func (s *shaping) noteDrift() {
	drift := s.drift()
	s.outcome.note(func(res *Result) { res.Drift = drift })
	s.warnOfDrift(drift)
}

// drift lists the fields whose mapping differs from that of a new index, except those that were mapped on purpose.
func (s *shaping) drift() (drift []shape.Drift) {
	m := &s.index.Mapping
	for _, d := range s.fields.Drift(m.TypeOf, !m.IgnoreMalformed) {
		if d.Field == "_timestamp" || s.job.Create.Maps(d.Field) {
			continue
		}
		drift = append(drift, d)
	}
	return drift
}

// extend adds missing fields to the mapping of our own index.
func (s *shaping) extend(ctx context.Context, ix *elastic.Index) {
	if s.job.DryRun || s.job.Kind != Mirror || ix.Marker.Owner != s.job.Owner {
		return
	}
	m := &ix.Mapping
	o := shape.Options{GuessesDates: m.GuessesDates, Strict: !m.IgnoreMalformed, Text: s.job.Create.TextMapping()}
	var err error
	for {
		lacking := s.fields.Properties(o, m.Room(), func(path string) bool { return m.TypeOf(path) != "" || s.job.Create.Maps(path) })
		if len(lacking) == 0 || s.ours(ctx) != nil { // the next write reports the error and ends the run
			return
		}
		if err = s.deps.Client.AddFields(ctx, ix, lacking); !elastic.LacksUnsignedLong(err) || o.NoUnsignedLong {
			break
		}
		o.NoUnsignedLong = true
	}
	if err != nil {
		s.deps.Log.Warn("cannot add new fields to the mapping, so Elasticsearch maps each by its first value; grant the privilege manage on the index",
			report.Index, ix.Name, report.Err, err.Error())
	}
}

// warnOfDrift logs once a run which fields lose something. If no value is rejected, it is only information.
func (s *shaping) warnOfDrift(drift []shape.Drift) {
	refused, lossy := sorted(drift)
	if len(refused) > 0 {
		s.deps.Log.Warn("the index maps fields to types that reject some values of the source; to accept them all, sync into a new index or set the types in a mappings file",
			report.Index, s.index.Name, "fields", shortList(refused))
	}
	if len(lossy) > 0 {
		s.deps.Log.Info("the index maps fields differently from a new index", report.Index, s.index.Name, "fields", shortList(lossy))
	}
}

// sorted separates the fields that reject some values from those that lose something; both as text.
func sorted(drift []shape.Drift) (refused, lossy []string) {
	for _, field := range drift {
		text := fmt.Sprintf("%s (%s; in the source: %s)", field.Field, field.Mapped, field.Kind)
		if field.Refuses {
			refused = append(refused, text)
		} else {
			lossy = append(lossy, text)
		}
	}
	return refused, lossy
}

// mostNamed is how many fields one message names.
const mostNamed = 20

func shortList(names []string) string {
	if more := len(names) - mostNamed; more > 0 {
		return strings.Join(names[:mostNamed], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, ", ")
}

// countIgnored finds out, after a run that wrote, which fields have values that could not be indexed.
func (d *destination) countIgnored(ctx context.Context, now *elastic.Index) {
	if n := d.deps.Counters; n.Created.Load()+n.Updated.Load() == 0 {
		return
	}
	counts, ok, err := d.deps.Client.Ignored(ctx, now.Name)
	if err != nil {
		d.deps.Log.Debug("cannot count values that were not indexed", report.Index, now.Name, report.Err, err.Error())
	}
	if err != nil || !ok {
		return
	}
	var ignored []shape.Ignored
	for field, n := range counts {
		if !now.Mapping.IsSubfield(field) {
			ignored = append(ignored, shape.Ignored{Field: field, Documents: n, Why: shape.WhyIgnored(now.Mapping.TypeOf(field))})
		}
	}
	slices.SortFunc(ignored, func(a, b shape.Ignored) int { return strings.Compare(a.Field, b.Field) })
	d.outcome.note(func(res *Result) { res.NotIndexed = ignored })
}

// widen maps a field that the index does not have yet so that it accepts numbers of any kind, or anything.
func (d *destination) widen(ctx context.Context, field string, numbers bool) error {
	if d.index.Marker.Owner != d.job.Owner {
		return ErrForeign
	}
	if err := d.ours(ctx); err != nil {
		return err
	}
	kinds := []source.DescribedField{{Name: field, Kind: source.Double}}
	if !numbers {
		kinds = append(kinds, source.DescribedField{Name: field, Kind: source.Text})
	}
	f := shape.Fields{}
	f.Add(kinds)
	m := &d.index.Mapping
	o := shape.Options{Strict: !m.IgnoreMalformed, Text: d.job.Create.TextMapping()}
	return d.deps.Client.AddFields(ctx, d.index, f.Properties(o, m.Room(), func(string) bool { return false }))
}
