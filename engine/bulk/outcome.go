package bulk

import (
	"errors"
	"net/http"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
)

// outcome is the result of one operation.
type outcome uint8

const (
	done     outcome = iota
	dropped          // the pipeline dropped the document
	conflict         // another process wrote the document since the scan: it stays
	refused          // temporarily refused; sent again alone
	failed           // the server or its pipeline failed; sent again a few times
	rejected         // the document cannot be written
	fatal            // no document could be written: the run ends
)

// judge classifies the response to an item. The classes are the contract of docs/architecture.md, "Writing".
func judge(c *plan.Change, a elastic.BulkItem) outcome {
	switch {
	case a.Elsewhere != "" && a.Type == elastic.WrittenElsewhere:
		return rejected
	case a.Status < 300 && a.Result == "noop":
		return dropped
	case a.Status < 300, c.Kind == plan.Delete && isDeleted(a):
		return done
	case c.At != nil && a.Status == http.StatusConflict:
		return conflict
	}
	switch a.Type {
	case "cluster_block_exception", "security_exception", "index_closed_exception", "index_not_found_exception",
		"pipeline_missing_exception", "invalid_index_name_exception":
		return fatal
	case "illegal_argument_exception":
		if isMissingPipeline(a.Reason) {
			return fatal
		}
	}
	switch {
	case errors.Is(elastic.Classify(a.Status, a.Type), elastic.ErrTemporary):
		return refused
	case a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden:
		return fatal
	case a.Status >= 500:
		return failed
	}
	return rejected
}

// isDeleted recognizes the response to a delete of a document that no longer exists: another process deleted it, or
// we did and the response was lost.
func isDeleted(a elastic.BulkItem) bool {
	return a.Status == http.StatusNotFound && a.Type == "" ||
		a.Status == http.StatusConflict && strings.HasSuffix(a.Reason, "but no document was found")
}

// named turns the response to an item that the server wrote under another index or id into an error: the document
// is in the wrong place, and the next run would not find it.
func named(a elastic.BulkItem) elastic.BulkItem {
	if a.Elsewhere != "" && a.Type == "" && a.Status < 300 && a.Result != "noop" {
		a.Type, a.Reason = elastic.WrittenElsewhere, "the server wrote it "+a.Elsewhere+"; a pipeline can cause this"
	}
	return a
}

// itemError is the error of a run that ends because of the response to an item.
func itemError(a elastic.BulkItem) error {
	return &elastic.Error{Op: "write a document", Status: a.Status, Type: a.Type, Reason: a.Reason}
}

// isMissingPipeline recognizes the response to an item whose pipeline does not exist, which has no type of its
// own.
func isMissingPipeline(reason string) bool {
	return strings.HasPrefix(reason, "pipeline with id [") && strings.Contains(reason, "does not exist")
}
