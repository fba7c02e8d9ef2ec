package output

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode/utf16"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/logs"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/shape"
)

// Schema is the version of the JSON output. A version may gain keys, but never changes them.
const Schema = 1

// jsonResult is the object that -o json prints, and the last one of -o ndjson. It has as many fields as the
// contract has keys.
type jsonResult struct {
	Schema        int              `json:"schema"`
	Exit          int              `json:"exit"`
	Connector     string           `json:"connector,omitempty"`
	Source        string           `json:"source,omitempty"` // service type
	Index         string           `json:"index,omitempty"`
	Job           string           `json:"job,omitempty"`      // the sync job of a connector of Elasticsearch
	Replaced      string           `json:"replaced,omitempty"` // the index in whose place a rebuild has put Index
	DryRun        bool             `json:"dry_run"`
	Read          int64            `json:"read"`
	Created       int64            `json:"created"`
	Updated       int64            `json:"updated"`
	Deleted       int64            `json:"deleted"`
	Kept          int64            `json:"kept"`
	Withheld      int64            `json:"withheld"`
	Rejected      int64            `json:"rejected"`
	Spared        int64            `json:"spared,omitempty"` // with --no-delete: documents that are no longer in the source and stay, if their number is known
	Dropped       int64            `json:"dropped"`
	Duplicates    int64            `json:"duplicates"`
	ContentErrors int64            `json:"content_errors"`
	FailedParts   int64            `json:"failed_parts"`
	DurationMS    int64            `json:"duration_ms"`
	Extraction    string           `json:"extraction,omitempty"`  // how content was converted to text, if any was written
	Creates       *jsonNewIndex    `json:"creates,omitempty"`     // the index that a sync would create
	Mapping       []jsonDrift      `json:"mapping,omitempty"`     // fields whose mapping differs from that of a new index
	NotIndexed    []shape.Ignored  `json:"not_indexed,omitempty"` // fields with some values only in _source; after a run that wrote
	WithheldBy    map[string]int64 `json:"withheld_by,omitempty"` // counts by reason
	Parts         []jsonTable      `json:"parts,omitempty"`       // tables or folders with changes, or not read completely
	MoreParts     *jsonTable       `json:"more_parts,omitempty"`  // the sums of those beyond 500
	Unread        []string         `json:"unread,omitempty"`      // the first parts that were not read completely
	DeadLetter    string           `json:"dead_letter,omitempty"`
	Confirm       string           `json:"confirm,omitempty"` // the command line that permits the deletes that were held back
	Omitted       int64            `json:"omitted,omitempty"` // changes omitted by --limit
	Plan          *Plan            `json:"plan,omitempty"`    // that the run saved or used
	Error         *jsonError       `json:"error,omitempty"`
	Connectors    []jsonResult     `json:"connectors,omitempty"`
}

// jsonNewIndex is an index that does not exist yet.
type jsonNewIndex struct {
	Owner    string `json:"owner"`
	Fields   int64  `json:"fields"`
	Language string `json:"language,omitempty"`
	Open     bool   `json:"open"` // documents add further fields
}

// jsonDrift is a field whose mapping differs from that of a new index.
type jsonDrift struct {
	Field   string `json:"field"`
	Mapped  string `json:"mapped"` // the type in the index
	Source  string `json:"source"` // the kind in the source
	Meaning string `json:"meaning"`
	Refuses bool   `json:"refuses"` // the index may reject values of the source
}

// jsonTable is a table or folder. Its counts have the names of those of the result.
type jsonTable struct {
	Part          string           `json:"part"` // "" if unknown
	Read          int64            `json:"read"`
	Created       int64            `json:"created"`
	Updated       int64            `json:"updated"`
	Deleted       int64            `json:"deleted"`
	Withheld      int64            `json:"withheld"`
	Rejected      int64            `json:"rejected"`
	Dropped       int64            `json:"dropped"`
	Duplicates    int64            `json:"duplicates"`
	ContentErrors int64            `json:"content_errors"`
	Fields        map[string]int64 `json:"fields,omitempty"`      // updated documents by changed field; with --fields
	MoreFields    int64            `json:"more_fields,omitempty"` // changes of fields beyond 50
	Unread        string           `json:"unread,omitempty"`      // why it was not read completely
}

func jsonTableOf(t *Table) jsonTable {
	return jsonTable{
		Part: t.Name, Read: t.Read, Created: t.Created, Updated: t.Updated, Deleted: t.Deleted, Withheld: t.Withheld, Rejected: t.Rejected,
		Dropped: t.Dropped, Duplicates: t.Duplicates, ContentErrors: t.ContentErrors, Fields: t.Fields, MoreFields: t.MoreFields, Unread: t.Unread,
	}
}

type jsonError struct {
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// jsonChange is a change in the output of -o ndjson.
type jsonChange struct {
	Schema int                           `json:"schema"`
	Kind   string                        `json:"kind"`
	Index  string                        `json:"index"`
	ID     string                        `json:"id"`
	Title  string                        `json:"title,omitempty"` // a readable name of the document, if the id is not readable
	Part   string                        `json:"part"`
	Reason string                        `json:"reason"`
	First  string                        `json:"first,omitempty"` // duplicate: the part that had the id first
	Fields map[string][2]json.RawMessage `json:"fields,omitempty"`
}

// JSONLine is a value as one line of JSON. Unprintable characters are escaped, since the line may be shown on
// a terminal.
func JSONLine(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil { // only for types without a JSON form
		panic(err)
	}
	line := strings.ReplaceAll(strings.TrimSuffix(b.String(), "\n"), "##[", `\u0023#[`) // a command of GitHub Actions, see term
	if !strings.ContainsFunc(line, term.Escaped) {
		return line + "\n"
	}
	b.Reset()
	for _, r := range line { // such a character is always within a string
		switch {
		case !term.Escaped(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String() + "\n"
}

// jsonPrinter writes objects for programs, one per line.
type jsonPrinter struct {
	o Options

	mu sync.Mutex
	w  *bufio.Writer
	limited
}

// Change implements [Printer].
func (p *jsonPrinter) Change(c report.Change) {
	if p.o.Form != NDJSON || c.Kind == plan.Keep.String() && !p.o.All {
		return
	}
	out := jsonChange{Schema: Schema, Kind: c.Kind, Index: c.Index, ID: c.ID, Title: c.Title, Part: c.Part, Reason: c.Reason, First: c.First}
	if len(c.Fields) > 0 {
		out.Fields = make(map[string][2]json.RawMessage, len(c.Fields))
		for _, f := range c.Fields {
			out.Fields[f.Name] = [2]json.RawMessage{f.Old, f.New}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.takes(p.o.Limit) {
		_, _ = p.w.WriteString(JSONLine(out))
	}
}

// Connector implements [Printer].
func (p *jsonPrinter) Connector(*Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.printed = 0
	_ = p.w.Flush()
}

// End implements [Printer].
func (p *jsonPrinter) End(all *Total) {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := jsonResult{Schema: Schema, DryRun: p.o.Dry}
	var counts report.Snapshot
	for _, o := range all.Outcomes {
		one := p.resultOf(o)
		out.FailedParts += one.FailedParts
		counts.Add(o.Result.Counts)
		out.Connectors = append(out.Connectors, one)
	}
	out.count(counts)
	if len(out.Connectors) == 1 && !p.o.Several {
		out = out.Connectors[0]
	}
	out.Exit, out.Omitted = all.Exit, p.omitted
	out.DurationMS = all.Took.Milliseconds()
	if all.Err != nil {
		out.Error = jsonErrorOf(all.Err)
	}
	_, _ = p.w.WriteString(JSONLine(out))
	_ = p.w.Flush()
}

// resultOf is the result of one connector.
func (p *jsonPrinter) resultOf(o *Outcome) jsonResult {
	r := jsonResult{
		Schema: Schema, Exit: o.Exit, Connector: o.Name, Source: o.Type, Index: o.Result.Index, Job: o.Job,
		DryRun: p.o.Dry, FailedParts: o.Result.Failed, DurationMS: o.Took.Milliseconds(),
		Unread: o.Unread, DeadLetter: o.DeadLetter, Confirm: o.Confirm, Plan: o.Plan, Replaced: o.Result.Replaced,
	}
	r.count(o.Result.Counts)
	if o.Result.SparedGone {
		r.Spared = o.Result.Spared
	}
	tables, rest := o.Tally.Changed()
	for _, t := range tables {
		r.Parts = append(r.Parts, jsonTableOf(t))
	}
	if rest != nil {
		more := jsonTableOf(rest)
		r.MoreParts = &more
	}
	r.NotIndexed, r.Extraction = o.Result.NotIndexed, string(o.Result.Extraction)
	if n := o.Result.Creates; n != nil {
		r.Creates = &jsonNewIndex{Owner: n.Owner, Fields: n.Fields, Language: o.Language, Open: n.Open}
	}
	for _, d := range o.Result.Drift {
		r.Mapping = append(r.Mapping, jsonDrift{d.Field, d.Mapped, string(d.Kind), d.Meaning, d.Refuses})
	}
	for reason, n := range o.Result.Withheld {
		if r.WithheldBy == nil {
			r.WithheldBy = map[string]int64{}
		}
		r.WithheldBy[string(reason)] = n
	}
	if o.Err != nil {
		r.Error = jsonErrorOf(o.Err)
	}
	return r
}

func (r *jsonResult) count(c report.Snapshot) {
	r.Read, r.Created, r.Updated, r.Deleted, r.Kept = c.Read, c.Created, c.Updated, c.Deleted, c.Kept
	r.Withheld, r.Rejected, r.Dropped, r.Duplicates = c.Withheld, c.Rejected, c.Dropped, c.Duplicates
	r.ContentErrors = c.ContentErrors
}

func jsonErrorOf(err error) *jsonError {
	if all, ok := errors.AsType[config.Errors](err); ok && len(all) > 0 {
		err = all[0]
	}
	return &jsonError{Message: err.Error(), Hint: logs.HintOf(err)}
}
