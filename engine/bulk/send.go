package bulk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/engine/docfile"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/retry"
)

const (
	maxRefused = 5 // a document refused that often, while others succeed, is too large for the node
	maxFailed  = 2 // attempts after an error of the server that is not temporary
)

// send completes every operation of a request. reusable reports that nothing reads the request's memory any more.
// Sending again is harmless: operations carry their ids.
func (w *Writer) send(ctx, requests context.Context, r *request) (reusable bool, err error) {
	backoff, failures := w.o.Retry.Start(), 0
	reusable = true
	for first := r; len(r.items) > 0; {
		answer, err := w.try(ctx, requests, r, r != first || failures > 0)
		if r == first && answer.BodyInUse {
			reusable = false
		}
		if err != nil {
			if failures++; failures > maxFailed && isServerError(err) {
				return reusable, err
			}
			again, err := w.requestFailed(ctx, requests, r, err, backoff)
			if err != nil {
				return reusable, err
			}
			if !again {
				return reusable, nil
			}
			continue
		}
		left, err := w.settle(ctx, r, answer)
		if err != nil {
			return reusable, err
		}
		if len(left) == 0 {
			return reusable, nil
		}
		w.o.Counters.Retried.Add(int64(len(left)))
		if !backoff.Wait(ctx, 0) {
			return reusable, w.gaveUp(ctx, r, left)
		}
		r = r.only(left)
	}
	return reusable, nil
}

// try sends a request once, when its turn comes. again means that it was sent before.
func (w *Writer) try(ctx, requests context.Context, r *request, again bool) (elastic.BulkAnswer, error) {
	age, err := w.limit.enter(ctx, again)
	if err != nil {
		return elastic.BulkAnswer{}, err
	}
	if w.o.Fence != nil {
		if err := w.o.Fence(ctx); err != nil {
			w.limit.leave(age, false)
			return elastic.BulkAnswer{}, &fencedError{err}
		}
	}
	answer, err := w.o.Client.Bulk(requests, elastic.Bulk{
		Index: w.o.Index, Pipeline: w.o.Pipeline, Body: r.body, Count: len(r.items), ID: func(i int) string { return r.items[i].change.ID },
	})
	w.o.Counters.Bytes.Add(int64(len(r.body)))
	w.limit.leave(age, busy(answer, err))
	return answer, err
}

// busy reports whether the server refused a request, or some of its operations, because of overload.
func busy(answer elastic.BulkAnswer, err error) bool {
	if e, ok := errors.AsType[*elastic.Error](err); ok {
		return e.Status == http.StatusTooManyRequests
	}
	return slices.ContainsFunc(answer.Items, func(a elastic.BulkItem) bool {
		return a.Status == http.StatusTooManyRequests && a.Type != "cluster_block_exception"
	})
}

// requestFailed handles the failure of a complete request: it returns true if the request must be sent again,
// false if its operations are completed.
func (w *Writer) requestFailed(ctx, requests context.Context, r *request, err error, backoff *retry.Backoff) (again bool, _ error) {
	status := 0
	if e, ok := errors.AsType[*elastic.Error](err); ok {
		status = e.Status
	}
	_, fenced := errors.AsType[*fencedError](err)
	switch {
	case ctx.Err() != nil, fenced:
		return false, err
	case status == http.StatusRequestEntityTooLarge, status == http.StatusBadRequest:
		return false, w.split(ctx, requests, r, err)
	case errors.Is(err, elastic.ErrTemporary), errors.Is(err, elastic.ErrUnreachable), elastic.IsCut(err), status >= 500:
		w.logRetry(ctx, err)
		w.o.Counters.Retried.Add(int64(len(r.items)))
		if backoff.Wait(ctx, elastic.RetryAfter(err)) {
			return true, nil
		}
		if isServerError(err) {
			return false, err
		}
		return false, fmt.Errorf("%w: %w", elastic.ErrTemporary, err)
	}
	return false, err
}

// fencedError is why a request was not sent; the request is not retried, whatever the kind of the error.
type fencedError struct{ err error }

func (e *fencedError) Error() string { return e.err.Error() }

func (e *fencedError) Unwrap() error { return e.err }

// logRetry logs the first failure of a request, so that an outage is one line and not hundreds.
func (w *Writer) logRetry(ctx context.Context, err error) {
	level := slog.LevelDebug
	if !w.retried.Swap(true) {
		level = slog.LevelWarn
	}
	w.o.Log.Log(ctx, level, "a bulk request failed; retrying", report.Err, err.Error())
}

// isServerError reports an error of the server that is unlikely to be temporary, such as a full disk.
func isServerError(err error) bool {
	e, ok := errors.AsType[*elastic.Error](err)
	return ok && e.Status >= 500 && !errors.Is(e, elastic.ErrTemporary)
}

// split halves a request that the server rejects, down to the document that causes it.
func (w *Writer) split(ctx, requests context.Context, r *request, cause error) error {
	if len(r.items) == 1 {
		e, ok := errors.AsType[*elastic.Error](cause)
		if !ok {
			return cause
		}
		item := elastic.BulkItem{Status: e.Status, Type: e.Type, Reason: e.Reason}
		if e.Status == http.StatusRequestEntityTooLarge {
			item.Type, item.Reason = "request_entity_too_large", tooLarge
		}
		return w.reject(r, &r.items[0], item)
	}
	for _, half := range r.halves() {
		if _, err := w.send(ctx, requests, half); err != nil {
			return err
		}
	}
	return nil
}

const tooLarge = "the document is too large for this node"

// settle ends the operations with a final response and returns those to send again.
func (w *Writer) settle(ctx context.Context, r *request, answer elastic.BulkAnswer) (left []item, err error) {
	if answer.Items == nil {
		for i := range r.items {
			w.end(&r.items[i], done, elastic.BulkItem{})
		}
		return nil, nil
	}
	passed := false
	for i := range r.items {
		answer.Items[i] = named(answer.Items[i])
		o := judge(&r.items[i].change, answer.Items[i])
		passed = passed || o == done
	}
	for i := range r.items {
		it, a := &r.items[i], answer.Items[i]
		switch o := judge(&it.change, a); o {
		case done, dropped, conflict:
			w.end(it, o, a)
		case fatal:
			return nil, itemError(a)
		case rejected:
			if it.failed < maxFailed && w.widen(ctx, a) {
				it.failed, it.last = it.failed+1, a
				left = append(left, *it)
				break
			}
			err = w.reject(r, it, a)
		case refused:
			if it.refused++; it.refused >= maxRefused && (passed || len(r.items) == 1) {
				a.Reason = tooLarge + ": " + a.Reason
				err = w.reject(r, it, a)
				break
			}
			left = append(left, *it)
		case failed:
			it.last = a
			if it.failed++; it.failed > maxFailed {
				err = w.reject(r, it, a)
				break
			}
			left = append(left, *it)
		}
		if err != nil {
			return nil, err
		}
	}
	return left, nil
}

// widen maps a field for all kinds of values that one document has in it: version 8 of Elasticsearch rejects a
// document that introduces such a field.
func (w *Writer) widen(ctx context.Context, a elastic.BulkItem) bool {
	if w.o.Widen == nil {
		return false
	}
	field, numbers := elastic.TwoKinds(a)
	return field != "" && w.o.Widen(ctx, field, numbers) == nil
}

// end counts and reports a completed operation, and releases its bytes.
func (w *Writer) end(it *item, o outcome, a elastic.BulkItem) {
	c := &it.change
	kind, reason, n := c.Kind, c.Reason, w.o.Counters
	switch {
	case o == dropped:
		kind, reason = plan.Drop, plan.DroppedByPipeline
		n.Dropped.Add(1)
	case o == conflict:
		kind, reason = plan.Keep, plan.ChangedSince
		n.Kept.Add(1)
	case o == rejected:
		kind, reason = plan.Reject, plan.Reason(a.Type+": "+elastic.WithoutValues(a.Reason))
		n.Rejected.Add(1)
	case kind == plan.Create:
		n.Created.Add(1)
	case kind == plan.Update:
		n.Updated.Add(1)
	case kind == plan.Delete:
		n.Deleted.Add(1)
	}
	w.o.Observer.Changed(report.Change{Kind: kind.String(), Reason: string(reason), Index: w.o.Index, ID: c.ID, Title: c.Title, Part: c.Part, Scope: c.Scope})
	w.o.Budget.Release(c.Grant)
	c.Grant = 0
}

// reject saves a document in the dead-letter file.
func (w *Writer) reject(r *request, it *item, a elastic.BulkItem) error {
	err := w.o.DeadLetter.Put(docfile.Rejection{
		Schema: 1, Time: w.o.Now().UTC(), Connector: w.o.Connector, Index: w.o.Index, ID: it.change.ID, Part: it.change.Part,
		Kind: it.change.Kind.String(), Type: a.Type, Reason: a.Reason, Document: r.document(it),
	})
	if err != nil {
		return err
	}
	w.o.Observer.Failed(report.Failure{Part: it.change.Part, Scope: it.change.Scope, ID: it.change.ID, Err: itemError(a)})
	w.end(it, rejected, a)
	if w.broken() {
		return fmt.Errorf("write to index %q: %w: %d of them so far, see %s", w.o.Index, ErrTooManyRejected, w.o.Counters.Rejected.Load(), w.o.DeadLetter.Path())
	}
	return nil
}

// gaveUp ends the operations that still wait when patience ends: documents at which the server failed are
// rejected; those refused because of overload end the run, which can be repeated later.
func (w *Writer) gaveUp(ctx context.Context, r *request, left []item) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	busy := 0
	for i := range left {
		if left[i].failed == 0 {
			busy++
			continue
		}
		if err := w.reject(r, &left[i], left[i].last); err != nil {
			return err
		}
	}
	if busy == 0 {
		return nil
	}
	return fmt.Errorf("write to index %q: %d documents were refused at every attempt: %w", w.o.Index, busy, elastic.ErrTemporary)
}
