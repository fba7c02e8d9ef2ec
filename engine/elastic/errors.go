package elastic

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// The kinds of errors of the destination, for [errors.Is].
var (
	ErrConfig      = errors.New("configuration")                // the configuration cannot work
	ErrAuth        = errors.New("authentication or permission") // credentials are wrong, or a privilege is missing
	ErrUnreachable = errors.New("unreachable")                  // no server responds
	ErrTemporary   = errors.New("temporary")                    // it may succeed later
	ErrNotFound    = errors.New("not found")                    // the index or document does not exist
	ErrPITLost     = errors.New("point in time lost")           // the point in time has expired or its node is gone
	ErrConflict    = errors.New("conflict")                     // the document was written since it was read
)

// WrittenElsewhere is the error type of a document that was written with another id, or into another
// index, than requested.
const WrittenElsewhere = "written_elsewhere"

// Error is an error that the destination returned.
type Error struct {
	Op         string        // the operation, such as `create index "search-docs"`
	Status     int           // of HTTP
	Type       string        // such as index_not_found_exception
	Reason     string        // it may quote a value of a document
	RetryAfter time.Duration // as requested by the server, or 0
}

// Error is the error without values of documents, since it may be mailed or shown in Kibana.
func (e *Error) Error() string {
	reason := WithoutValues(e.Reason)
	switch {
	case e.Type == "" && reason == "":
		return fmt.Sprintf("%s: the server answered %d", e.Op, e.Status)
	case e.Type == "":
		return fmt.Sprintf("%s: the server answered %d: %s", e.Op, e.Status, reason)
	}
	return fmt.Sprintf("%s: %s: %s (%d)", e.Op, e.Type, reason, e.Status)
}

// quotes is where a reason begins to quote the document. What follows cannot be distinguished from the quotation, which may
// contain anything, quotes included.
var quotes = regexp.MustCompile(`(?s)\.? *(?:Preview of field's value:|at \[Source: ).*`)

// named is the same where the text before the quotation says what is wrong.
var named = regexp.MustCompile(`(?s)((?:[Ff]or input string|field value|unable to convert|unable to parse date|failed to parse date field|cannot parse)(?::)? )(?:\[|").*`)

// WithoutValues is a reason of the destination without the values of documents that it quotes.
func WithoutValues(reason string) string {
	return strings.TrimSpace(named.ReplaceAllString(quotes.ReplaceAllString(reason, ""), "$1…"))
}

// Is determines the kind by status and type.
func (e *Error) Is(kind error) bool { return Classify(e.Status, e.Type) == kind }

// Classify returns the kind of an error response, of a complete request or of one item of a bulk request; nil
// if it has no kind.
func Classify(status int, typ string) error {
	switch {
	case typ == "search_context_missing_exception":
		return ErrPITLost
	case typ == "cluster_block_exception" && status != http.StatusTooManyRequests:
		return nil // read-only on purpose: a retry does not help, and no privilege is missing
	case status == http.StatusUnauthorized || status == http.StatusForbidden || typ == "security_exception":
		return ErrAuth
	case status == http.StatusNotFound:
		return ErrNotFound
	case typ == "version_conflict_engine_exception":
		return ErrConflict
	case status == http.StatusTooManyRequests, status >= 502 && status <= 504,
		typ == "es_rejected_execution_exception", typ == "unavailable_shards_exception":
		return ErrTemporary
	}
	return nil
}

// Hint is what to do about err, one sentence, or "".
func Hint(err error) string {
	if e, ok := errors.AsType[*ConnError](err); ok {
		return e.Tip
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return ""
	}
	switch {
	case e.Type == WrittenElsewhere:
		return "remove the processors that set _id, _index or _routing from the pipeline: the ids of the mirror are those of the source"
	case e.Status == http.StatusUnauthorized:
		return "check username and password, api_key or bearer_token under elasticsearch:"
	case errors.Is(e, ErrAuth):
		return "this user needs the privileges read, write, view_index_metadata, maintenance and manage on the index, and monitor on the cluster"
	case shapeConflict(e) != "":
		return fmt.Sprintf(`a field cannot be an object in one document and a value in another; to keep it without indexing it, sync into a new index `+
			`whose mappings file has {"properties": {%q: {"type": "object", "enabled": false}}}`, shapeConflict(e))
	case errors.Is(err, ErrConfig) && strings.Contains(e.Reason, "icu_"):
		return "install the plugin analysis-icu on every node, or remove elasticsearch.analysis_icu"
	case errors.Is(err, ErrConfig) && e.Type == embeddedCannot:
		return "remove it from the file that the connector's mappings key names, or use an Elasticsearch server"
	case errors.Is(err, ErrConfig) && strings.Contains(e.Reason, "data stream"):
		return "choose an index_name that no index template for data streams matches; Elasticsearch's own match names such as logs-a-b and metrics-a-b"
	case errors.Is(err, ErrConfig):
		return "correct the file that the connector's mappings key names; the index was not created"
	}
	return ""
}

// answerError reads the error of a response with a status of 400 or more.
func answerError(op string, res *esapi.Response, body []byte) *Error {
	e := &Error{Op: op, Status: res.StatusCode}
	if s := res.Header.Get("Retry-After"); s != "" {
		if n, err := strconv.Atoi(s); err == nil && n >= 0 {
			e.RetryAfter = time.Duration(min(n, 300)) * time.Second
		}
	}
	var answer struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.Error) == 0 {
		e.Reason = http.StatusText(res.StatusCode)
		return e
	}
	var cause cause
	if json.Unmarshal(answer.Error, &cause) == nil {
		e.Type, e.Reason = cause.typed()
		return e
	}
	_ = json.Unmarshal(answer.Error, &e.Reason) // some responses hold plain text
	return e
}

// cause is the error object of Elasticsearch.
type cause struct {
	Type     string  `json:"type"`
	Reason   string  `json:"reason"`
	CausedBy *cause  `json:"caused_by"`
	Root     []cause `json:"root_cause"`
}

const maxReason = 500

// typed returns type and reason; if a search failed on all shards, those of the first shard.
func (c *cause) typed() (typ, reason string) {
	if c.Type == "search_phase_execution_exception" && len(c.Root) > 0 {
		return c.Root[0].Type, shorten(c.Root[0].Reason)
	}
	reason = c.Reason
	for n := c.CausedBy; n != nil; n = n.CausedBy {
		if n.Reason != "" && !strings.Contains(reason, n.Reason) {
			reason += ": " + n.Reason
		}
	}
	return c.Type, shorten(reason)
}

// shorten keeps a reason readable; it may quote a whole document.
func shorten(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= maxReason {
		return s
	}
	return strings.ToValidUTF8(s[:maxReason], "") + "…"
}

// conflicts are Elasticsearch's messages about a field that is an object in one document and a value in another.
var conflicts = []*regexp.Regexp{
	regexp.MustCompile(`object mapping for \[([^\]]+)\] tried to parse field \[[^\]]*\] as object, but found`),
	regexp.MustCompile(`can't merge a non[- ]object mapping \[([^\]]+)\] with an object mapping`),
	regexp.MustCompile(`mapper \[([^\]]+)\] cannot be changed from type \[\w+\] to \[ObjectMapper\]`),
	regexp.MustCompile(`failed to parse field \[([^\]]+)\] of type \[\w+\].*Preview of field's value: '\{`),
}

// shapeConflict is the field, without its members, that has both shapes according to an error; "" for any
// other error.
func shapeConflict(e *Error) string {
	for _, c := range conflicts {
		if m := c.FindStringSubmatch(e.Reason); m != nil {
			field, _, _ := strings.Cut(m[1], ".")
			return field
		}
	}
	return ""
}

var twoKinds = regexp.MustCompile(`mapper \[([^\]]+)\] cannot be changed from type \[(\w+)\] to \[(\w+)\]`)

// TwoKinds names the field whose mixed values made the index refuse a document;
// numbers reports that both kinds are numbers. It is "" for any other response.
func TwoKinds(a BulkItem) (field string, numbers bool) {
	m := twoKinds.FindStringSubmatch(a.Reason)
	if m == nil || a.Type != "illegal_argument_exception" || m[2] == "ObjectMapper" || m[3] == "ObjectMapper" {
		return "", false
	}
	number := func(typ string) bool { return typ == "long" || typ == "double" || typ == "float" }
	return m[1], number(m[2]) && number(m[3])
}
