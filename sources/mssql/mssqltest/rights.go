package mssqltest

import (
	"slices"
	"strings"
)

// ownerName is the user with all privileges.
const ownerName = "sa"

// right is one right that a user was granted or denied.
type right struct {
	name    string     // SELECT, INSERT
	on      objectName // a table, or a complete schema if it has no name
	columns []string
	denied  bool
}

// user is a user of the database, with a login of the same name.
type user struct{ rights []right }

// grant grants or denies a right to a user, or revokes it.
func (s *session) grant(r right, name string, revoke bool) error {
	u := s.server.users[strings.ToLower(name)]
	if u == nil || r.on.name != "" && s.server.objects[keyOf(r.on)] == nil {
		return failed(15151, 16, "cannot find the user '%s', or the object '%s'", name, r.on.name)
	}
	if !revoke {
		u.rights = append(u.rights, r)
		return nil
	}
	u.rights = slices.DeleteFunc(u.rights, func(old right) bool { return old.name == r.name && old.on == r.on })
	return nil
}

// covers reports whether a right applies to the object.
func (r *right) covers(o objectName) bool {
	return strings.EqualFold(r.on.schema, o.schema) && (r.on.name == "" || strings.EqualFold(r.on.name, o.name))
}

// may reports whether the user has a right on the complete object, and otherwise on which of its columns.
func (u *user) may(name string, o objectName) (all bool, columns []string) {
	for _, r := range u.rights {
		switch {
		case r.name != name || !r.covers(o):
		case r.denied:
			return false, nil
		case r.columns == nil:
			all = true
		default:
			columns = append(columns, r.columns...)
		}
	}
	return all, columns
}

// sees reports whether the catalog shows an object to the user: any right on it is enough.
func (u *user) sees(o objectName) bool {
	return slices.ContainsFunc(u.rights, func(r right) bool { return !r.denied && r.covers(o) })
}

// allowed checks that the user of the session may read columns of an object.
func (s *session) allowed(o *object, columns []string) error {
	if s.user == ownerName {
		return nil
	}
	all, some := s.server.users[strings.ToLower(s.user)].may("SELECT", o.name)
	if all {
		return nil
	}
	where := "object '" + o.name.name + "', database '" + s.server.cfg.Database + "', schema '" + o.name.schema + "'"
	if some == nil {
		return failed(229, 14, "the SELECT permission was denied on the %s", where)
	}
	for _, name := range columns {
		if !slices.ContainsFunc(some, func(c string) bool { return strings.EqualFold(c, name) }) {
			return failed(230, 14, "the SELECT permission was denied on the column '%s' of the %s", name, where)
		}
	}
	return nil
}
