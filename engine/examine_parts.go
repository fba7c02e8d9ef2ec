package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// parts lists the parts of the source and tries to read one document of each scope. Its error is a crash.
func (x *examination) parts(ctx context.Context, src source.Source) (*described, error) {
	found, err := x.describe(ctx, src)
	if err != nil {
		return nil, err
	}
	if !found.listed {
		if err := x.listParts(ctx, src, found); err != nil {
			return nil, err
		}
	}
	over := x.deps.Until != nil && x.deps.Until.Err() != nil
	if found.err != nil && !over && ctx.Err() == nil {
		x.fail(CheckSource, fmt.Errorf("list the source: %w", found.err))
	}
	var first []source.Part // of each scope
	seen := map[string]bool{}
	for _, part := range found.parts {
		if !seen[part.Scope()] {
			seen[part.Scope()] = true
			first = append(first, part)
		}
	}
	tries, err := x.tryAll(ctx, first)
	if err != nil {
		return nil, err
	}
	x.sayTries(tries)
	if len(first) == 0 && found.err == nil {
		x.nothing(ctx, src)
	}
	return found, nil
}

// listParts lists the parts of a source that does not describe them.
func (x *examination) listParts(ctx context.Context, src source.Source, found *described) error {
	limited, stop := x.limited(ctx)
	defer stop()
	return found.list(limited, src)
}

// nothing reports a source without any table or folder.
func (x *examination) nothing(ctx context.Context, src source.Source) {
	if err := selects(ctx, src); err != nil {
		x.fail(CheckSource, err)
		return
	}
	x.say(CheckSource, StatusWarning, "the source has no "+x.noun()+"s", "check what the configuration selects, and what this user may see")
}

// tried is the result of reading the first document of a scope.
type tried struct {
	scope string
	err   error
	late  bool // there was no time
}

// try reads the first document of a part. An error after the end of the time says nothing about the part.
func try(limited context.Context, part source.Part) tried {
	t := tried{scope: cmp.Or(part.Scope(), part.Name())}
	if limited.Err() == nil {
		for _, err := range part.Documents(limited) {
			if err == nil {
				return t
			}
			t.err = err
			break
		}
	}
	t.late = limited.Err() != nil
	return t
}

func (x *examination) tryAll(ctx context.Context, parts []source.Part) ([]tried, error) {
	limited, stop := x.limited(ctx)
	defer stop()
	out := make([]tried, len(parts))
	var g errgroup.Group
	g.SetLimit(max(x.deps.Readers, 1))
	for i, part := range parts {
		g.Go(func() error { // ends with its part
			return guarded(func() error {
				out[i] = try(limited, part)
				return nil
			})
		})
	}
	err := g.Wait()
	if _, crashed := errors.AsType[*crash.Error](err); crashed {
		return nil, err
	}
	return out, ctx.Err()
}

// refusal is why some scopes cannot be read. Those with the same hint are one finding, since the same action helps
// all of them; those without a hint if they have the same reason.
type refusal struct {
	text, hint string // of the first scope
	others     bool   // the reasons of others differ
	err        error
	scopes     []string
}

// sayTries reports how many tables can be read, and why the others cannot.
func (x *examination) sayTries(tries []tried) {
	var refusals []*refusal
	good, late := 0, 0
	for _, t := range tries {
		switch {
		case t.late:
			late++
			continue
		case t.err == nil:
			good++
			continue
		}
		text, hint := reasonOf(t.err), source.Hint(t.err)
		at := slices.IndexFunc(refusals, func(r *refusal) bool { return r.hint == hint && (hint != "" || r.text == text) })
		if at < 0 {
			at = len(refusals)
			refusals = append(refusals, &refusal{text: text, hint: hint, err: t.err})
		}
		r := refusals[at]
		r.scopes, r.others = append(r.scopes, t.scope), r.others || r.text != text
	}
	switch {
	case good == len(tries) && good > 0:
		x.say(CheckSource, StatusOK, counted(int64(good), x.noun())+" can be read", "")
	case len(tries) > 0:
		x.say(CheckSource, StatusNote, fmt.Sprintf("%d of %s can be read", good, counted(int64(len(tries)), x.noun())), "")
	}
	for _, r := range refusals {
		x.sayRefusal(r)
	}
	if late > 0 {
		x.say(CheckSource, StatusWarning, "the time for this check is over before it tried "+counted(int64(late), x.noun()), "")
	}
}

func (x *examination) sayRefusal(r *refusal) {
	f := Finding{Check: CheckSource, Status: StatusError, Message: shortList(r.scopes) + ": " + r.text, Err: r.err, Unread: true}
	if n := len(r.scopes); n > 1 {
		f.Message = fmt.Sprintf("%s cannot be read: %s", counted(int64(n), x.noun()), f.Message)
	}
	if r.others {
		f.Message += ", and other reasons"
	}
	if _, unmatched := errors.AsType[*source.UnmatchedError](r.err); unmatched {
		f.Message, f.Unread = r.text, false
	}
	if errors.Is(r.err, source.ErrTemporary) || errors.Is(r.err, source.ErrUnreachable) {
		f.Unread = false
	}
	x.found(f)
}

// reasonOf is the text of an error without the part in front of it.
func reasonOf(err error) string {
	if e, ok := errors.AsType[*source.Error](err); ok && e.Part != "" {
		return strings.TrimPrefix(err.Error(), e.Part+": ")
	}
	return err.Error()
}

func (x *examination) noun() string { return x.job.Type.NounOf(x.job.Values) }
