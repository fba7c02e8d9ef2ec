// Package protocol is the records of Elastic's connector protocol: connectors and their sync jobs, as
// Kibana draws them and as the program reads and writes them.
//
// It is not for syncing: it knows neither how a source is read nor how documents are written.
//
// Its invariant: what others have written is tolerated whatever it is, and kept where it is not ours.
package protocol
