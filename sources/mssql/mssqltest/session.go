package mssqltest

import (
	"errors"
	"maps"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

// session is a connection.
type session struct {
	server   *Server
	user     string
	running  string        // the statement that is being answered
	patience time.Duration // for locks; below zero has no end
	deadline time.Time     // for the lock that it waits for

	snapshots bool // the isolation level is SNAPSHOT
	open      bool // a transaction is open
	snapshot  bool // it began as a snapshot transaction
	state     map[string]*object
	stateDDL  int64              // number of structural changes when the snapshot was taken
	undo      map[string]*object // the changed objects before the transaction; nil if there was none
}

// reset resets a session that a pool gives to another user.
func (s *session) reset() {
	s.rollback()
	s.patience, s.snapshots = -1, false
}

// run answers a statement.
func (s *session) run(st tdstest.Statement) tdstest.Result {
	if of, ok := s.server.fixtures[normal(st.SQL)]; ok {
		if s.server.endless[normal(st.SQL)] {
			return tdstest.Result{Wait: make(chan struct{})}
		}
		return result(of)
	}
	all, err := parse(st.SQL)
	if err != nil {
		s.server.t.Errorf("mssqltest: %v, in the statement %q", err, st.SQL)
		return errorResult(err)
	}
	s.deadline = time.Time{}
	return s.from(all, paramsOf(st, s))
}

// from runs the remaining statements of a batch.
func (s *session) from(all []action, params map[string]value) tdstest.Result {
	if len(all) == 0 {
		return tdstest.Result{}
	}
	r, err := all[0](s, params)
	switch {
	case errors.As(err, &lockedError{}):
		return s.later(func() tdstest.Result { return s.from(all, params) })
	case err != nil:
		if f, ok := errors.AsType[*failure](err); ok && f.rollback {
			s.rollback()
		}
		return errorResult(err)
	case r.Error == nil && len(all) > 1:
		next := s.from(all[1:], params)
		if next.Wait != nil {
			return next // earlier results are dropped, because no test reads them
		}
		r.Next = &next
	}
	return r
}

// paramsOf are the parameters, in the order of their declaration, and the number of open transactions.
func paramsOf(st tdstest.Statement, s *session) map[string]value {
	params := map[string]value{"@@trancount": {typ: named("int"), v: bit(s.open)}}
	declared := &parser{tokens: lex(st.Declared)}
	for _, p := range st.Params {
		declared.expect(p.Name)
		params[strings.ToLower(p.Name)] = value{typ: declared.typ(), v: p.Value}
		declared.take(",")
	}
	return params
}

// begin begins a transaction. Its snapshot is that of the first statement that reads.
func (s *session) begin() {
	s.rollback()
	s.open, s.snapshot, s.undo = true, s.snapshots, map[string]*object{}
}

func (s *session) commit() {
	s.open, s.state, s.undo = false, nil, nil
	maps.DeleteFunc(s.server.locks, func(_ string, l *lock) bool { return l.by == s })
	s.server.free()
}

func (s *session) rollback() {
	for key, before := range s.undo {
		if before == nil {
			delete(s.server.objects, key)
		} else {
			s.server.objects[key] = before
		}
	}
	s.commit()
}

// keyOf is a name, ignoring case.
func keyOf(n objectName) string { return strings.ToLower(n.schema + "\x00" + n.name) }

func noObject(n objectName) error {
	return failed(208, 16, "invalid object name '%s'", n.name)
}

// find finds the state of a table or view that the session reads.
func (s *session) find(n objectName) (*object, error) {
	key := keyOf(n)
	now, l := s.server.objects[key], s.server.locks[key]
	locked := l != nil && l.by != s
	switch {
	case locked && (l.structure || !s.versions() && !s.server.versions):
		return nil, lockedError{}
	case now == nil:
		return nil, noObject(n)
	case !s.versions() && locked:
		return l.by.undo[key], nil
	case !s.versions():
		return now, nil
	}
	if err := s.takeSnapshot(); err != nil {
		return nil, err
	}
	return s.state[key], s.unaltered(now)
}

// unaltered returns an error if the snapshot of a transaction is older than the structure of an object.
func (s *session) unaltered(o *object) error {
	if !s.versions() || s.state == nil || o.altered <= s.stateDDL {
		return nil
	}
	return s.aborted(3961, "the object accessed by the statement has been modified by a DDL statement in another concurrent transaction")
}

// aborted is an error that ends a snapshot transaction.
func (s *session) aborted(number int32, because string) error {
	return &failure{number: number, class: 16, rollback: true, text: "snapshot isolation transaction failed in database '" + s.server.cfg.Database + "' because " + because}
}

// versions reports whether the session reads rows as of the first read of its transaction.
func (s *session) versions() bool { return s.snapshots && s.open }

// takeSnapshot takes the snapshot of the transaction, unless it has one.
func (s *session) takeSnapshot() error {
	if !s.versions() || s.state != nil {
		return nil
	}
	if !s.server.snapshots {
		return s.aborted(3952, "snapshot isolation is not allowed in this database")
	}
	s.state, s.stateDDL = maps.Clone(s.server.objects), s.server.ddl
	for key, l := range s.server.locks {
		if l.by != s { // uncommitted changes are not visible
			s.state[key] = l.by.undo[key]
		}
	}
	return nil
}

// change lets a session change an object: before is its current state, nil if it does not exist.
func (s *session) change(n objectName, structure bool) (key string, before *object, err error) {
	key = keyOf(n)
	if l := s.server.locks[key]; l != nil && l.by != s {
		return key, nil, lockedError{}
	}
	before = s.server.objects[key]
	if s.open {
		if _, changed := s.undo[key]; !changed {
			s.undo[key] = before
		}
		l := s.server.locks[key]
		if l == nil {
			l = &lock{by: s}
			s.server.locks[key] = l
		}
		l.structure = l.structure || structure
	}
	return key, before, nil
}

// put sets the state of an object; nil drops it.
func (s *session) put(key string, o *object, structure bool) {
	if structure {
		s.server.ddl++
	}
	if o == nil {
		delete(s.server.objects, key)
		return
	}
	if structure {
		o.altered = s.server.ddl
	}
	s.server.objects[key] = o
}
