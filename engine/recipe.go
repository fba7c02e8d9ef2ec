package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/extract"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// madeBy changes when documents are built differently from the same source: then copies with the same version are
// not treated as unchanged.
const madeBy = 3

// recipe is how a run builds documents, and how it compares them with their copies.
type recipe struct {
	options  plan.Options
	way      extract.Way // how content becomes text
	why      string      // the reason for way
	fullText bool        // the pipeline can read content completely on request
	print    string      // the fingerprint
	printed  bool        // it affects which documents count as unchanged
}

// decideRecipe decides how documents are compared and built.
func (d *destination) decideRecipe(ctx context.Context) (c recipe, err error) {
	if c.options, err = d.compareBy(); err != nil {
		return c, err
	}
	through, err := d.lookUpPipelines(ctx)
	if err != nil {
		return c, err
	}
	flags := document.Flags{ExtractBinaryContent: true, ReduceWhitespace: true, RunMLInference: true}
	if d.job.Flags != nil {
		flags = *d.job.Flags
	}
	if d.job.Kind == Mirror {
		if err := c.chooseWay(d.task, through, flags.ExtractBinaryContent); err != nil {
			return c, err
		}
	}
	o := &c.options
	if d.job.Pipeline != "" && d.job.Kind != AccessControl {
		flags.ExtractBinaryContent = c.way == extract.Pipeline
		c.fullText = flags.ExtractBinaryContent && through.fullText
		o.Trailer.Flags = &flags
	}
	o.Pipeline = d.job.Pipeline != "" || d.index.Pipeline != ""
	if m := &d.index.Mapping; m.HasVectors() {
		o.Vector = m.IsVector
	}
	made := []any{madeBy, flags, d.job.Type.Name, d.job.Profile, d.job.Encoding, d.job.Advanced, d.job.Rules, through.definitions, d.deps.ContentLimit}
	fingerprint, err := json.Marshal(append(made, c.madeByWay()...))
	if err != nil {
		return c, fmt.Errorf("fingerprint: %w", err)
	}
	sum := sha256.Sum256(fingerprint)
	c.print = hex.EncodeToString(sum[:16])
	// A comparison by content notices documents that are built differently; versions and pipelines hide it.
	c.printed = o.Compare == plan.ByVersion || o.Compare == plan.ByContent && o.Pipeline
	if m := &d.index.Marker; c.printed && (m.Owner != d.job.Owner || !d.sameIdentity() || m.Fingerprint != c.print && m.Pending != c.print) {
		o.Compare = plan.Always
	}
	return c, nil
}

// compareBy decides how documents are compared, from the job and the abilities of the index.
func (d *destination) compareBy() (plan.Options, error) {
	byVersion := d.job.Compare == Version ||
		d.job.Compare == Auto && d.job.Type.VersionPerDocument != nil && d.job.Type.VersionPerDocument(d.job.Values)
	o := plan.Options{Trailer: document.Trailer{Timestamp: d.started.UTC().Format("2006-01-02T15:04:05.000000+00:00")}}
	switch {
	case d.job.Compare == Always, d.job.Kind == Deletion: // a deletion job compares nothing
		o.Compare = plan.Always
	case byVersion && d.index.SourceDisabled:
		return o, fmt.Errorf("%w: index %q: versions cannot be compared, because %s: run with --compare always",
			ErrConfig, d.index.Name, d.index.SourceTrouble)
	case byVersion:
		o.Compare, o.VersionFields = plan.ByVersion, d.job.Type.VersionFields
	case d.index.SourceTrouble != "":
		return o, fmt.Errorf("%w: index %q: contents cannot be compared, because %s: run with --compare always",
			ErrConfig, d.index.Name, d.index.SourceTrouble)
	}
	return o, nil
}

// chooseWay decides how content becomes text. wanted is whether the connector's pipeline settings request content.
func (c *recipe) chooseWay(t *task, through *pipelines, wanted bool) error {
	attaches := t.job.Pipeline != "" && through.attaches
	if c.way = t.job.Extraction; c.way != "" && c.way != extract.Auto {
		c.why = "the configuration says so"
	} else {
		switch {
		case !wanted:
			c.way, c.why = extract.Off, "the connector's pipeline settings do not ask for content"
		case attaches:
			c.way, c.why = extract.Pipeline, "the ingest pipeline reads attachments"
		case t.deps.Service != nil:
			c.way, c.why = extract.ByService, "an extraction service is configured, and no ingest pipeline reads attachments"
		default:
			c.way, c.why = extract.Inline, "no ingest pipeline reads attachments, and no extraction service is configured"
		}
	}
	switch {
	case c.way == extract.ByService && t.deps.Service == nil:
		return fmt.Errorf("%w: the connector needs an extraction service, and none is configured: set extraction_service.host, or choose another extraction", ErrConfig)
	case c.way == extract.Pipeline && t.job.Pipeline == "":
		return fmt.Errorf("%w: extraction by pipeline needs an ingest pipeline, and the connector has none: set pipeline, or choose another extraction", ErrConfig)
	case c.way == extract.Pipeline && !attaches && !through.unread:
		return fmt.Errorf("%w: the ingest pipeline %q cannot extract content, it has no attachment processor for the field %s: add one, or choose another extraction",
			ErrConfig, t.job.Pipeline, attachmentField)
	}
	return nil
}

// madeByWay is the contribution of the way to the fingerprint, in addition to the pipeline's definition and flags:
// nothing if those are enough.
func (c *recipe) madeByWay() []any {
	switch c.way {
	case extract.ByService, extract.Off:
		return []any{c.way}
	case extract.Pipeline:
		if c.fullText {
			return []any{indexedCharsField}
		}
	}
	return nil
}

// heldVersion is the version of a copy in an index with this marker.
func (c *recipe) heldVersion(m *elastic.Marker, h elastic.Hit) document.Version {
	if c.printed && !m.Carries(c.print, h.SeqNo) {
		return 0
	}
	return c.options.HeldVersion(h.Source, func(name string) string { return elastic.StringField(h.Source, name) })
}

// needsCopy reports whether a change needs the copy for a decision: if everything except the vectors is unchanged,
// or if the copy went through a pipeline.
func (c *recipe) needsCopy(change *plan.Change) bool {
	o := &c.options
	switch {
	case o.Compare != plan.ByContent || change.Source == nil:
		return false
	case change.Kind == plan.Keep:
		return o.Vector != nil && change.Reason == plan.Unchanged
	}
	return change.Kind == plan.Update && change.Reason == plan.ContentDiffers && o.Pipeline
}

// differing lists the top-level fields in which a document differs from its copy, sorted by name. It leaves out
// the fields that every run writes again, and those that a pipeline may have added.
func (c *recipe) differing(held, sent []byte) ([]report.Field, error) {
	o := &c.options
	return differing(held, sent, func(name string, before, after json.RawMessage) bool {
		switch {
		case after == nil && o.Pipeline, o.Ignore != nil && o.Ignore(name):
			return true
		case o.Vector != nil && o.Vector(name) && before != nil && after != nil:
			return document.SameVector(before, after)
		}
		return sameJSON(before, after)
	})
}
