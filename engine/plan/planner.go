package plan

import (
	"crypto/md5" //nolint:gosec // not for security: the connector protocol shortens ids with it
	"encoding/hex"
	"unicode/utf8"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/ids"
	"github.com/elastic-ingest/elastic-ingest/engine/rules"
)

// Planner decides for the documents of one reader; readers share the table and the rules.
type Planner struct {
	opts  Options
	table *ids.Table
	rules *rules.Set
	parts *Parts
	buf   []byte
	// Holder names the scope whose document the destination holds under an id, where that may be another
	// one's than the planner's; "" where it is not. Such a document is not replaced. nil is never.
	Holder func(id string) string
}

// NewPlanner makes the planner of one reader.
func NewPlanner(o Options, t *ids.Table, r *rules.Set, p *Parts) *Planner {
	return &Planner{opts: o, table: t, rules: r, parts: p}
}

// ID is the _id under which a document is written: its own, or the MD5 of its bytes where the id is
// longer than Elasticsearch takes or is not valid UTF-8, so that two such ids never become one.
func ID(id string) string {
	if len(id) <= MaxIDBytes && utf8.ValidString(id) {
		return id
	}
	sum := md5.Sum([]byte(id)) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

// Decide says what becomes of a document, as far as that can be said without its encoded form. Where
// more is true, the change is a Create or an Update which [Planner.Encode] completes, and which that
// may still turn into a Keep. An error is one of the table, and ends the run.
func (p *Planner) Decide(part uint32, doc *document.Document) (c Change, s ids.Sighting, more bool, err error) {
	doc.ID = ID(doc.ID)
	c = Change{Part: p.parts.Name(part), ID: doc.ID}
	if doc.ID == "" {
		c.Kind, c.Reason = Reject, EmptyID
		return c, s, false, nil
	}
	key := ids.KeyOf(doc.ID)
	if !p.rules.Keep(doc) {
		c.Kind, c.Reason = Drop, ExcludedByRule
		return c, s, false, p.table.Exclude(key)
	}
	if other, err := p.heldByAnother(doc.ID, key); other != "" || err != nil {
		c.Kind, c.Reason, c.First = Duplicate, SameID, other
		return c, s, false, err
	}
	s, err = p.table.Mark(key, part)
	switch {
	case err != nil:
		return c, s, false, err
	case s.Duplicate:
		c.Kind, c.Reason, c.First = Duplicate, SameID, p.parts.Name(s.First)
		return c, s, false, nil
	case !s.Found:
		c.Kind, c.Reason = Create, NotInIndex
		return c, s, true, nil
	}
	c.Kind = Update
	switch {
	case p.opts.Compare == Always:
		c.Reason = Forced
	case s.Version == 0: // the copy cannot be compared, or a rule has kept out another document of this id
		c.Reason = VersionUnknown
	case p.opts.Compare == ByContent:
		c.Reason = ContentDiffers
	case doc.Timestamp == "":
		c.Reason = VersionUnknown
	case s.Version == p.opts.version(doc):
		c.Kind, c.Reason = Keep, Unchanged
		return c, s, false, nil
	default:
		c.Reason = VersionDiffers
	}
	return c, s, true, nil
}

// heldByAnother names the scope of the document that stands in the destination under an id, where it is
// another's that this run has not seen yet. Its own part, if it yields it, marks it as seen.
func (p *Planner) heldByAnother(id string, key ids.Key) (string, error) {
	if p.Holder == nil {
		return "", nil
	}
	other := p.Holder(id)
	if other == "" {
		return "", nil
	}
	state, err := p.table.State(key)
	if err != nil || state == ids.Unknown || state == ids.Seen {
		return "", err
	}
	return other, nil
}

// Encode completes a change with the document's _source, which is valid until the next call, and
// turns it into a Keep where the content is what the destination holds. more, unless it is nil, appends
// further fields, each behind a comma, and may still change the document's timestamp. Where there are
// vectors a Keep has its source, too, because those are still to be compared.
func (p *Planner) Encode(c *Change, s ids.Sighting, doc *document.Document, more func(dst []byte) []byte) {
	p.buf = document.AppendFields(p.buf[:0], doc)
	if more != nil {
		p.buf = more(p.buf)
	}
	end := len(p.buf)
	p.buf = document.AppendTrailer(p.buf, doc, p.opts.Trailer)
	c.Source = p.buf
	if c.Kind == Update && p.opts.Compare == ByContent && s.Version != 0 && p.same(s.Version, end) {
		c.Kind, c.Reason = Keep, Unchanged
		if p.opts.Vector == nil {
			c.Source = nil
		}
	}
}

func (p *Planner) same(held document.Version, end int) bool {
	if !held.Canonical() {
		return document.ContentVersion(p.buf[:end]) == held
	}
	// The copy was written by another program, or went through a pipeline.
	v, err := document.CanonicalVersion(p.buf, p.opts.ignore)
	return err == nil && v == held
}

func (o *Options) ignore(field string) bool {
	return o.Ignore != nil && o.Ignore(field) || o.Vector != nil && o.Vector(field)
}

// version is the version of a document, by its timestamp and Options.VersionFields.
func (o Options) version(doc *document.Document) document.Version {
	return o.versionOf(doc.Timestamp, func(name string) string {
		if v, ok := doc.Lookup(name); ok && v.Kind() == document.KindString {
			return v.Text()
		}
		return ""
	})
}

func (o Options) versionOf(timestamp string, text func(field string) string) document.Version {
	if timestamp == "" || len(o.VersionFields) == 0 {
		return document.TimestampVersion(timestamp)
	}
	for _, name := range o.VersionFields {
		timestamp += "\x00" + text(name)
	}
	return document.TimestampVersion(timestamp)
}

// HeldVersion is the version of a copy that the destination holds, to compare with later. text reads a
// top-level text field of it, "" where there is none; it is only called to compare by version.
func (o Options) HeldVersion(source []byte, text func(field string) string) document.Version {
	switch {
	case o.Compare == ByVersion:
		return o.versionOf(text("_timestamp"), text)
	case o.Compare == Always:
		return 0
	case !o.Pipeline && o.Vector == nil:
		if v, ok := document.StoredVersion(source); ok {
			return v
		}
	}
	v, err := document.CanonicalVersion(source, o.ignore)
	if err != nil {
		return 0
	}
	return v
}
