package plan

import (
	"cmp"
	"crypto/md5" //nolint:gosec // not for security: the connector protocol shortens ids with it
	"encoding/hex"
	"unicode/utf8"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/ids"
	"github.com/elastic-ingest/elastic-ingest/engine/rules"
)

// Planner decides about the documents of one reader; readers share the table, the rules and the clashes. A
// document takes two steps: [Planner.Decide] and, if that requests the document's body, [Planner.Encode]. The
// caller reads the content in between. Neither step changes the document.
type Planner struct {
	opts  Options
	table *ids.Table
	rules *rules.Set
	parts *Parts
	buf   []byte

	part    uint32 // number of the part of the documents
	name    string // of the part
	scope   string
	clashes *Clashes // nil if no other scope can have the same ids
}

// NewPlanner returns the planner of one reader.
func NewPlanner(o Options, t *ids.Table, r *rules.Set, p *Parts) *Planner {
	return &Planner{opts: o, table: t, rules: r, parts: p}
}

// Begin sets the part and the scope of the documents that follow: none of them replaces a document of another
// scope.
func (p *Planner) Begin(part uint32, scope string, c *Clashes) {
	p.part, p.name, p.scope, p.clashes = part, p.parts.Name(part), scope, nil
	if c.of(scope) {
		p.clashes = c
	}
}

// ID is the _id under which a document is written. It is the document's own, or the MD5 of its bytes if the id is
// too long for Elasticsearch or is not valid UTF-8, so that two such ids never become one.
func ID(id string) string {
	if len(id) <= MaxIDBytes && utf8.ValidString(id) {
		return id
	}
	sum := md5.Sum([]byte(id)) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

// Decision is what to do with a document, as far as that is known before it is encoded.
type Decision struct {
	Change // without Source; its ID is the _id to write
	// Body requests the document's content and a call of [Planner.Encode]: the change is a Create or an Update,
	// which may still become a Keep. Otherwise the change is final.
	Body bool
	// Known reports that the destination holds a document with this id, and that no other document of this run had
	// it.
	Known bool

	version document.Version // of the destination's copy
}

// Decide returns what to do with a document, and whether its body is needed. An error comes from the table and
// ends the run.
func (p *Planner) Decide(doc *document.Document) (Decision, error) {
	d := Decision{Change: Change{Part: p.name, Scope: p.scope, ID: ID(doc.ID)}}
	if d.ID == "" {
		d.Kind, d.Reason = Reject, EmptyID
		return d, nil
	}
	key := ids.KeyOf(d.ID)
	written := *doc
	written.ID = d.ID // the id that rules see
	if !p.rules.Keep(&written) {
		d.Kind, d.Reason = Drop, ExcludedByRule
		return d, p.table.Exclude(key)
	}
	if other, err := p.heldByAnother(d.ID, key); other != "" || err != nil {
		d.Kind, d.Reason, d.First = Duplicate, SameID, other
		return d, err
	}
	s, err := p.table.Mark(key, p.part)
	switch {
	case err != nil:
		return d, err
	case s.Duplicate:
		d.Kind, d.Reason, d.First = Duplicate, SameID, p.parts.Name(s.First)
		return d, nil
	case !s.Found:
		d.Kind, d.Reason, d.Body = Create, NotInIndex, true
		return d, nil
	}
	d.Known, d.version = true, s.Version
	d.Kind, d.Reason = p.compare(s.Version, doc)
	d.Body = d.Kind != Keep
	return d, nil
}

// compare decides about a document whose copy in the destination has this version: an update, unless the version
// shows that it is unchanged.
func (p *Planner) compare(held document.Version, doc *document.Document) (k Kind, why Reason) {
	k = Update
	switch {
	case p.opts.Compare == Always:
		why = Forced
	case held == 0: // the copy cannot be compared, or a rule has excluded another document with this id
		why = VersionUnknown
	case p.opts.Compare == ByContent: // Encode compares
		why = ContentDiffers
	case doc.Timestamp == "":
		why = VersionUnknown
	case held == p.opts.version(doc):
		k, why = Keep, Unchanged
	default:
		why = VersionDiffers
	}
	return k, why
}

// heldByAnother returns the scope of the destination's document with an id, if it is another scope and this run
// has not seen the document yet. When its own part yields the document, it is marked as seen.
func (p *Planner) heldByAnother(id string, key ids.Key) (string, error) {
	if p.clashes == nil {
		return "", nil
	}
	other := p.clashes.holder(id)
	if other == "" || other == p.scope {
		return "", nil
	}
	state, err := p.table.State(key)
	if err != nil || state == ids.Unknown || state == ids.Seen {
		return "", err
	}
	return other, nil
}

// Body is the content of a document as the caller read it. The zero Body is a document without content.
type Body struct {
	Field      document.Field // text, written after the document's own fields; without a name there is no text
	Attachment []byte         // encoded members, each after a comma, written last; it is copied
	Timestamp  string         // written instead of the document's own; "" means the document's own
}

// Encode completes a decision with the document's _source, which is valid until the next call. If the content
// equals the destination's copy, the change is a Keep. With vectors, a Keep has its source as well, because the
// vectors still have to be compared. It changes nothing but its buffer.
func (p *Planner) Encode(d Decision, doc *document.Document, b Body) Change {
	written := document.Document{ID: d.ID, Timestamp: cmp.Or(b.Timestamp, doc.Timestamp), Fields: doc.Fields}
	p.buf = document.AppendFields(p.buf[:0], &written)
	if b.Field.Name != "" {
		p.buf = document.AppendString(append(p.buf, ','), b.Field.Name)
		p.buf = b.Field.Value.AppendJSON(append(p.buf, ':'))
	}
	p.buf = append(p.buf, b.Attachment...)
	end := len(p.buf)
	p.buf = document.AppendTrailer(p.buf, &written, p.opts.Trailer)
	c := d.Change
	c.Source = p.buf
	if c.Kind == Update && p.opts.Compare == ByContent && d.version != 0 && p.same(d.version, end) {
		c.Kind, c.Reason = Keep, Unchanged
		if p.opts.Vector == nil {
			c.Source = nil
		}
	}
	return c
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

// version is the version of a document, from its timestamp and Options.VersionFields.
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

// HeldVersion is the version of the destination's copy, for a later comparison. text returns a top-level text
// field of the copy, "" if it is missing; it is called only to compare by version.
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
