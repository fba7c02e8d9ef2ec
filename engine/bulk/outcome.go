package bulk

import (
	"errors"
	"net/http"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
)

// outcome is what becomes of one operation.
type outcome uint8

const (
	done     outcome = iota
	dropped          // the pipeline dropped the document
	conflict         // somebody wrote the document since it was looked at: it stays
	refused          // temporarily; sent again alone
	failed           // the server or its pipeline failed; sent again a few times
	rejected         // the document cannot be written
	fatal            // no document could be written: the run ends
)

// judge tells the class of an item's answer. The classes are the contract of docs/architecture.md,
// "Writing".
func judge(c *plan.Change, a elastic.BulkItem) outcome {
	switch {
	case a.Elsewhere != "" && a.Type == elastic.WrittenElsewhere:
		return rejected
	case a.Status < 300 && a.Result == "noop":
		return dropped
	case a.Status < 300, c.Kind == plan.Delete && isGone(a):
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

// isGone recognises the answer to a delete of a document that is not there any more: somebody else
// deleted it, or we did, and the answer to that was lost.
func isGone(a elastic.BulkItem) bool {
	return a.Status == http.StatusNotFound && a.Type == "" ||
		a.Status == http.StatusConflict && strings.HasSuffix(a.Reason, "but no document was found")
}

// named is an item, where it was done elsewhere than was asked for, as an error that says so: the
// document is not where it belongs, and the next run would not find it.
func named(a elastic.BulkItem) elastic.BulkItem {
	if a.Elsewhere != "" && a.Type == "" && a.Status < 300 && a.Result != "noop" {
		a.Type, a.Reason = elastic.WrittenElsewhere, "the server wrote it "+a.Elsewhere+", which a pipeline can bring about"
	}
	return a
}

// itemError is the error of a run that ends because of an item's answer.
func itemError(a elastic.BulkItem) error {
	return &elastic.Error{Op: "write a document", Status: a.Status, Type: a.Type, Reason: a.Reason}
}

// isMissingPipeline recognises the answer of an item whose pipeline does not exist, which has no type
// of its own.
func isMissingPipeline(reason string) bool {
	return strings.HasPrefix(reason, "pipeline with id [") && strings.Contains(reason, "does not exist")
}
