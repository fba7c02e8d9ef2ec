package embedded

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// kind is what an operation does.
type kind string

const (
	opIndex  kind = "index"
	opCreate kind = "create"
	opDelete kind = "delete"
	opUpdate kind = "update"
)

// operation is one write, and after it was applied its result. Its slices point into the body
// of the request.
type operation struct {
	kind     kind
	index    string
	id       []byte
	routing  []byte
	pipeline string
	source   []byte
	auto     bool // the id was generated here
	ifSeq    int64
	ifTerm   int64

	fitted  *shape // the fields that the document was checked against
	ignored []byte // _ignored as a JSON list; empty: none

	err    *apiError
	ix     *index
	result string // created, updated, deleted, not_found or noop
	place
}

const noSeq = -1

// primaryTerm is the term of every shard: there was never another primary.
const primaryTerm = 1

func (op *operation) status() int {
	switch {
	case op.err != nil:
		return op.err.status
	case op.result == "created":
		return http.StatusCreated
	case op.result == "not_found":
		return http.StatusNotFound
	default:
		return http.StatusOK
	}
}

// parseBulk reads the lines of a bulk body. index and pipeline are those of the request, for actions
// that name none. An error rejects the complete request: then nothing is written.
func parseBulk(body []byte, index, pipeline string) ([]operation, error) {
	if len(body) == 0 {
		return nil, fail(http.StatusBadRequest, "parse_exception", "request body is required")
	}
	if body[len(body)-1] != '\n' {
		return nil, illegal("The bulk request must be terminated by a newline [\\n]")
	}
	var ops []operation
	c := newChecker()
	for line := 1; len(body) > 0; line++ {
		var action []byte
		action, body = cutLine(body)
		if len(action) == 0 {
			continue
		}
		op := operation{index: index, pipeline: pipeline, ifSeq: noSeq}
		if err := op.parseAction(c, action, line); err != nil {
			return nil, err
		}
		if op.kind != opDelete {
			if len(body) == 0 {
				break // Elasticsearch forgets an action without its source, too
			}
			op.source, body = cutLine(body)
			line++
		}
		ops = append(ops, op)
	}
	if len(ops) == 0 {
		return nil, invalid("no requests added")
	}
	return ops, validate(ops)
}

// cutLine returns the first line without its end, \n or \r\n.
func cutLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'}), rest
}

func (op *operation) parseAction(c *checker, action []byte, line int) error {
	if end, p := c.check(action); p != nil || end < len(action) {
		if p == nil {
			p = &problem{badToken, end}
		}
		return fail(http.StatusBadRequest, "x_content_parse_exception", "[1:%d] %s", p.at+1, p.what)
	}
	malformed := func(format string, args ...any) error {
		return illegal("Malformed action/metadata line [%d], %s", line, fmt.Sprintf(format, args...))
	}
	var err error
	found := 0
	fields(action, func(key, value []byte) bool {
		found++
		switch k := kind(key); {
		case found > 1:
			err = malformed("expected END_OBJECT but found [FIELD_NAME]")
		case k == opUpdate:
			err = unknown("the bulk action [update]")
		case k != opIndex && k != opCreate && k != opDelete:
			err = malformed("expected field [create], [delete], [index] or [update] but found [%s]", key)
		case value[0] != '{':
			err = malformed("expected START_OBJECT")
		default:
			op.kind = k
			err = op.parseMetadata(value, line)
		}
		return err == nil
	})
	if err == nil && found == 0 {
		return malformed("expected FIELD_NAME but found [END_OBJECT]")
	}
	return err
}

func (op *operation) parseMetadata(object []byte, line int) (err error) {
	fields(object, func(key, value []byte) bool {
		text := value
		switch value[0] {
		case '"':
			text = unquote(value)
		case '{', '[':
			err = illegal("Malformed action/metadata line [%d], expected a simple value for field [%s]", line, key)
			return false
		case 'n':
			text = nil
		}
		err = op.setMetadata(string(key), text, line)
		return err == nil
	})
	return err
}

func (op *operation) setMetadata(key string, text []byte, line int) (err error) {
	switch key {
	case "_id":
		op.id = text
		if text != nil && len(text) == 0 {
			op.err = illegal("if _id is specified it must not be empty")
		}
	case "_index":
		op.index = string(text)
	case "routing":
		op.routing = text
	case "pipeline":
		op.pipeline = string(text)
	case "if_seq_no":
		op.ifSeq, err = strconv.ParseInt(string(text), 10, 64)
	case "if_primary_term":
		op.ifTerm, err = strconv.ParseInt(string(text), 10, 64)
	case "require_alias", "dynamic_templates", "version", "version_type", "retry_on_conflict", "op_type", "require_data_stream":
		return unknown("[%s] of a bulk action", key)
	default:
		return illegal("Action/metadata line [%d] contains an unknown parameter [%s]", line, key)
	}
	if err != nil {
		return illegal("Failed to parse [%s] of action/metadata line [%d]", key, line)
	}
	return nil
}

// validate makes the checks whose failure rejects the complete request.
func validate(ops []operation) error {
	var problems []string
	for i := range ops {
		op := &ops[i]
		if op.index == "" {
			problems = append(problems, "index is missing")
		}
		if op.kind == opDelete && len(op.id) == 0 {
			problems = append(problems, "id is missing")
		}
		if len(op.id) > 512 {
			problems = append(problems, fmt.Sprintf("id [%s] is too long, must be no longer than 512 bytes but was: %d", op.id, len(op.id)))
		}
		switch {
		case op.ifSeq != noSeq && op.ifTerm == 0:
			problems = append(problems, "ifSeqNo is set, but primary term is [0]")
		case op.ifSeq == noSeq && op.ifTerm != 0:
			problems = append(problems, fmt.Sprintf("ifSeqNo is unassigned, but primary term is [%d]", op.ifTerm))
		}
	}
	if problems == nil {
		return nil
	}
	var b strings.Builder
	for i, p := range problems {
		fmt.Fprintf(&b, " %d: %s;", i+1, p)
	}
	return fail(http.StatusBadRequest, "action_request_validation_exception", "Validation Failed:%s", b.String())
}

// checkSource refuses a document that Elasticsearch cannot read.
func checkSource(c *checker, source []byte) *apiError {
	bad := func(format string, args ...any) *apiError {
		return fail(http.StatusBadRequest, "document_parsing_exception", format, args...)
	}
	end, p := c.check(source)
	start := skipSpace(source, 0)
	switch {
	case start == len(source):
		return bad("[0:0] failed to parse, document is empty")
	case source[start] != '{':
		return bad("Malformed content, must start with an object")
	case p != nil:
		e := bad("[1:%d] failed to parse: %s", p.at+1, p.what)
		e.inner = &cause{Type: "x_content_parse_exception", Reason: p.what}
		return e
	case end < len(source) && (source[end] == '{' || source[end] == '['):
		return illegal("Malformed content, found extra data after parsing: START_OBJECT")
	case end < len(source):
		return bad("[1:%d] %s", end+1, badToken)
	}
	return nil
}

// checkRootFields refuses the names of metadata and invalid names.
func checkRootFields(source []byte) (e *apiError) {
	fields(source, func(key, _ []byte) bool {
		switch {
		case len(key) == 0:
			e = fail(http.StatusBadRequest, "document_parsing_exception", "failed to parse: field name cannot be an empty string")
		case isBlank(key):
			e = fail(http.StatusBadRequest, "document_parsing_exception", "Field name cannot contain only whitespace: [%s]", key)
		case isMetadata(key):
			e = fail(http.StatusBadRequest, "document_parsing_exception", "Field [%s] is a metadata field and cannot be added inside a document. Use the index API request parameters.", key)
		}
		return e == nil
	})
	return e
}
