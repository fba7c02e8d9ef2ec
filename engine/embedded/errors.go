package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// ErrInUse means that another process, or another Server, has the folder open.
var ErrInUse = errors.New("the folder is in use")

// apiError is an error response, in the words of Elasticsearch.
type apiError struct {
	status int
	cause  cause
	inner  *cause // caused_by, if a client may need it
	phase  string // not empty: the cause is wrapped the way a failing search phase is
}

type cause struct {
	Type         string `json:"type"`
	Reason       string `json:"reason"`
	ResourceType string `json:"resource.type,omitempty"`
	ResourceID   string `json:"resource.id,omitempty"`
	IndexUUID    string `json:"index_uuid,omitempty"`
	Shard        string `json:"shard,omitempty"`
	Index        string `json:"index,omitempty"`
}

func (e *apiError) Error() string { return e.cause.Type + ": " + e.cause.Reason }

func fail(status int, typ, format string, args ...any) *apiError {
	return &apiError{status: status, cause: cause{Type: typ, Reason: fmt.Sprintf(format, args...)}}
}

// unknown is the explicit response to everything that Elasticsearch may support and this package does not.
func unknown(format string, args ...any) *apiError {
	return fail(http.StatusNotImplemented, "not_implemented_in_embedded", format, args...)
}

func illegal(format string, args ...any) *apiError {
	return fail(http.StatusBadRequest, "illegal_argument_exception", format, args...)
}

func invalid(problem string) *apiError {
	return fail(http.StatusBadRequest, "action_request_validation_exception", "Validation Failed: 1: %s;", problem)
}

func indexNotFound(name string) *apiError {
	return &apiError{status: http.StatusNotFound, cause: cause{
		Type: "index_not_found_exception", Reason: "no such index [" + name + "]",
		ResourceType: "index_or_alias", ResourceID: name, IndexUUID: "_na_", Index: name,
	}}
}

// onShard completes an error that comes from a shard of the index.
func (e *apiError) onShard(ix *index) *apiError {
	e.cause.IndexUUID, e.cause.Index, e.cause.Shard = ix.uuid, ix.name, "0"
	return e
}

// inPhase wraps the error as one of a search phase.
func (e *apiError) inPhase(phase, index string) *apiError {
	e.phase, e.cause.Index = phase, index
	return e
}

// storeFailed reports a failed disk operation. It is not a 503, which a client would
// retry: a full disk does not recover by itself.
func storeFailed(err error) *apiError {
	return fail(http.StatusInternalServerError, "embedded_store_exception", "the embedded store failed: %v", err)
}

// item is the error in the response to one operation of a bulk request.
func (e *apiError) item() []byte {
	type item struct {
		cause
		CausedBy *cause `json:"caused_by,omitempty"`
	}
	return mustMarshal(item{e.cause, e.inner})
}

// body is the error as a response body.
func (e *apiError) body() []byte {
	type failedShard struct {
		Shard  int    `json:"shard"`
		Index  string `json:"index"`
		Node   string `json:"node"`
		Reason cause  `json:"reason"`
	}
	type inner struct {
		RootCause []cause `json:"root_cause"`
		cause
		Phase        string        `json:"phase,omitempty"`
		Grouped      bool          `json:"grouped,omitempty"`
		FailedShards []failedShard `json:"failed_shards,omitempty"`
		CausedBy     *cause        `json:"caused_by,omitempty"`
	}
	out := inner{RootCause: []cause{e.cause}, cause: e.cause, CausedBy: e.inner}
	if e.phase != "" {
		out.cause = cause{Type: "search_phase_execution_exception", Reason: "all shards failed"}
		out.Phase, out.Grouped = e.phase, true
		out.FailedShards = []failedShard{{Index: e.cause.Index, Node: nodeName, Reason: e.cause}}
	}
	return mustMarshal(struct {
		Error  inner `json:"error"`
		Status int   `json:"status"`
	}{out, e.status})
}

// mustMarshal encodes values that cannot fail to encode: structs and maps of texts and numbers.
func mustMarshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
