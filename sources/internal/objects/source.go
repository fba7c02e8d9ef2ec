package objects

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
)

// Config is what a store's source is made of.
type Config struct {
	Store Store
	Noun  string // what the store calls a bucket, such as "container"
	Field string // the option that lists them, such as "containers"
	Names Names
	Rules []Rule // instead of all objects of Names; nil for none
	Env   source.Env
	// Pause waits between attempts; nil is [link.Pause]. Tests do not wait.
	Pause func(context.Context, time.Duration) error
}

var _ source.Source = (*Source)(nil)

// Source is an opened object store.
type Source struct {
	Config
}

// New makes a source.
func New(c Config) *Source {
	if c.Pause == nil {
		c.Pause = link.Pause
	}
	return &Source{c}
}

// SourceType completes the type of a store that has fields, a title and so on. The first of its ScopeFields holds the
// bucket of a document; option lists the buckets, which the store calls by noun.
func SourceType[S Store](t source.Type, noun, option string, connect func(context.Context, field.Values) (S, error)) source.Type {
	t.VersionPerDocument = func(field.Values) bool { return true }
	t.ScopeNoun = source.Noun(noun)
	t.ScopeOf = func(_ field.Values, fields map[string]any) (string, bool) {
		bucket, ok := fields[t.ScopeFields[0]].(string)
		return bucket, ok && bucket != ""
	}
	t.Open = func(ctx context.Context, v field.Values, env source.Env) (source.Source, error) {
		c := Config{Noun: noun, Field: option, Env: env}
		var err error
		if t.AdvancedRules {
			if c.Rules, err = ParseRules(env.AdvancedRules); err != nil {
				return nil, err
			}
		}
		if c.Names, err = ParseNames(option, v.List(option)); err != nil {
			return nil, err
		}
		if c.Store, err = connect(ctx, v); err != nil {
			return nil, err
		}
		return New(c), nil
	}
	return t
}

// Validate has nothing to check: the configuration was checked when the source was opened.
func (s *Source) Validate(ctx context.Context) error { return context.Cause(ctx) }

// Ping lists one object of a bucket, as a sync does, so that it needs no other right. One readable bucket is enough:
// the others are parts that fail.
func (s *Source) Ping(ctx context.Context) error {
	var first error
	for scope, err := range s.scopes(ctx) {
		if err != nil {
			return err
		}
		err := s.patiently(ctx, func() error {
			_, err := s.Store.List(ctx, Query{Bucket: scope.bucket, Prefix: scope.prefix, Most: 1})
			return err
		})
		if err == nil {
			return nil
		}
		failure := s.failure(ctx, scope.bucket, err)
		if ctx.Err() != nil || !isAboutOne(failure) {
			return failure
		}
		if first == nil {
			first = failure
		}
	}
	return first
}

// isAboutOne reports whether another bucket may work.
func isAboutOne(failure *source.Error) bool {
	return !errors.Is(failure, source.ErrUnreachable) && !errors.Is(failure, source.ErrTemporary)
}

// Parts lists the ranges of all buckets.
func (s *Source) Parts(ctx context.Context) iter.Seq2[source.Part, error] {
	return func(yield func(source.Part, error) bool) {
		for scope, err := range s.scopes(ctx) {
			if err == nil && ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			for r := range s.split(ctx, scope) {
				if !yield(&part{Source: s, scope: scope, span: r}, nil) {
					return
				}
			}
			if ctx.Err() != nil {
				yield(nil, context.Cause(ctx))
				return
			}
		}
	}
}

// Close releases the store.
func (s *Source) Close() error { return s.Store.Close() }

// scope is a bucket, or the keys in it with a prefix.
type scope struct {
	bucket, prefix string
	rules          []Rule // of the bucket; an object that matches none is skipped
}

// scopes lists what is configured.
func (s *Source) scopes(ctx context.Context) iter.Seq2[scope, error] {
	return func(yield func(scope, error) bool) {
		if s.Rules != nil {
			for _, each := range ruleScopes(s.Rules) {
				if !yield(each, nil) {
					return
				}
			}
			return
		}
		for name, err := range s.buckets(ctx) {
			if !yield(scope{bucket: name}, err) {
				return
			}
		}
	}
}

// buckets lists the names of buckets: those that are configured, without asking, or those of all
// that match a pattern.
func (s *Source) buckets(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, name := range s.Names.exact {
			if !yield(name, nil) {
				return
			}
		}
		if len(s.Names.patterns) == 0 {
			return
		}
		seen := map[string]bool{}
		for token := ""; ; {
			var names []string
			err := s.patiently(ctx, func() (err error) {
				names, token, err = s.Store.Buckets(ctx, token)
				return err
			})
			if err == nil && token != "" && seen[token] {
				err = fmt.Errorf("the list of %ss does not end: a page was returned twice", s.Noun)
			}
			if err != nil {
				yield("", s.listFailure(ctx, err))
				return
			}
			for _, name := range names {
				if s.Names.matches(name) && !yield(name, nil) {
					return
				}
			}
			if token == "" {
				return
			}
			seen[token] = true
		}
	}
}

func (s *Source) listFailure(ctx context.Context, err error) error {
	failure := s.failure(ctx, "", err)
	failure.Err = fmt.Errorf("list the %ss: %w", s.Noun, failure.Err)
	if errors.Is(failure, source.ErrAuth) {
		failure.Hint = fmt.Sprintf("grant the right to list all %ss, or list those to read in %s:", s.Noun, s.Field)
	}
	return failure
}

// failure is an error about a bucket; for a context that is done it is its cause.
func (s *Source) failure(ctx context.Context, bucket string, err error) *source.Error {
	if ctx.Err() != nil {
		return &source.Error{Part: bucket, Err: context.Cause(ctx)}
	}
	failure := s.Store.Failure(err)
	failure.Part = bucket
	return failure
}

// attempts are how often a request is made in total; the libraries retry each of them a few more times.
const attempts = 6

// patiently repeats do, with growing pauses, as long as its error is temporary.
func (s *Source) patiently(ctx context.Context, do func() error) error {
	for attempt := 1; ; attempt++ {
		err := do()
		if err == nil || ctx.Err() != nil || attempt == attempts || !errors.Is(s.Store.Failure(err), source.ErrTemporary) {
			return err
		}
		s.Env.Log.Info("the store is busy; retrying", slog.Int("attempt", attempt), slog.String("err", s.Store.Failure(err).Error()))
		if err := s.Pause(ctx, time.Second<<attempt+rand.N(time.Second)); err != nil {
			return err
		}
	}
}
