package protocol

// The transitions of connectors and sync jobs, as tables: which event leads from which status to which.
//
//	connector: created → needs_configuration → configured → connected ⇄ error
//	job:       pending → in_progress → completed, error or suspended; suspended → in_progress
//	           in_progress → canceling → canceled or error
//
// testdata/transitions.txt has all of them, including the refused ones. An unknown status
// belongs to a later release: no event leads away from it, and no program's work is undone.

// ConnectorStatus is the status of a connector.
type ConnectorStatus string

// The statuses of a connector.
const (
	ConnectorUnset              ConnectorStatus = ""                    // a record written by neither Kibana nor an API
	ConnectorCreated            ConnectorStatus = "created"             // its configuration has no fields
	ConnectorNeedsConfiguration ConnectorStatus = "needs_configuration" // a person has to fill in its fields
	ConnectorConfigured         ConnectorStatus = "configured"          // a person has saved them
	ConnectorConnected          ConnectorStatus = "connected"           // its source has responded
	ConnectorError              ConnectorStatus = "error"               // its source, or its last job, has failed
)

// MaySync reports whether jobs of the connector may be created and run. An unset status allows it:
// records written by hand may omit it.
func (s ConnectorStatus) MaySync() bool {
	switch s {
	case ConnectorUnset, ConnectorConfigured, ConnectorConnected, ConnectorError:
		return true
	case ConnectorCreated, ConnectorNeedsConfiguration:
	}
	return false
}

func (s ConnectorStatus) known() bool {
	return s.MaySync() || s == ConnectorCreated || s == ConnectorNeedsConfiguration
}

// ConnectorEvent is what happens to a connector.
type ConnectorEvent string

// The events of a connector.
const (
	ConnectorEventPublished  ConnectorEvent = "published"  // its empty configuration was filled with the fields of its source
	ConnectorEventConfigured ConnectorEvent = "configured" // a person has saved the configuration
	ConnectorEventSucceeded  ConnectorEvent = "succeeded"  // validated and pinged; or a job has begun, or ended without error
	ConnectorEventFailed     ConnectorEvent = "failed"     // one of these has failed
)

// NextConnector returns the status after an event. If ok is false, the event is not possible in this
// status, which then stays.
func NextConnector(from ConnectorStatus, e ConnectorEvent) (to ConnectorStatus, ok bool) {
	if !from.known() {
		return from, false
	}
	switch e {
	case ConnectorEventPublished: // also if it was connected: the values were lost with the fields
		return ConnectorNeedsConfiguration, true
	case ConnectorEventConfigured:
		return ConnectorConfigured, true
	case ConnectorEventSucceeded:
		if from.MaySync() {
			return ConnectorConnected, true
		}
	case ConnectorEventFailed:
		return ConnectorError, true
	}
	return from, false
}

// JobStatus is the status of a sync job.
type JobStatus string

// The statuses of a sync job.
const (
	JobPending    JobStatus = "pending"
	JobInProgress JobStatus = "in_progress"
	JobCanceling  JobStatus = "canceling" // the program that runs it has not noticed yet
	JobSuspended  JobStatus = "suspended" // its program was stopped; it starts again once it is claimed
	JobCompleted  JobStatus = "completed"
	JobError      JobStatus = "error"
	JobCanceled   JobStatus = "canceled"
)

// Final reports whether the job has ended.
func (s JobStatus) Final() bool { return s == JobCompleted || s == JobError || s == JobCanceled }

// Live reports whether a program is running the job, or was until its process died.
func (s JobStatus) Live() bool { return s == JobInProgress || s == JobCanceling }

// Waiting reports whether the job may be claimed.
func (s JobStatus) Waiting() bool { return s == JobPending || s == JobSuspended }

// JobType is what a sync job reads.
type JobType string

// The types of sync jobs. A record without a type is from the time when all were full.
const (
	JobFull          JobType = "full"
	JobIncremental   JobType = "incremental"
	JobAccessControl JobType = "access_control"
	// JobDeletion removes documents no longer in the source and writes nothing else. The protocol stores it as a full job.
	JobDeletion JobType = "deletion"
)

// Trigger is why a sync job was created.
type Trigger string

// The triggers of sync jobs.
const (
	TriggerOnDemand  Trigger = "on_demand"
	TriggerScheduled Trigger = "scheduled"
)

// JobEvent is what happens to a sync job.
type JobEvent string

// The events of a sync job.
const (
	JobEventClaim           JobEvent = "claim"            // a program starts to run it
	JobEventComplete        JobEvent = "complete"         // it is done
	JobEventFail            JobEvent = "fail"             // it failed, or can never run, for example without a license
	JobEventCancelRequested JobEvent = "cancel_requested" // a user canceled it
	JobEventCancel          JobEvent = "cancel"           // it ended because of that
	JobEventSuspend         JobEvent = "suspend"          // its program was stopped
	JobEventSupersede       JobEvent = "supersede"        // a later job of the same kind does its work
)

// NextJob returns the status after an event. If ok is false, the event is not possible in this status,
// which then stays.
//
// A job that is not running is canceled immediately, because no program would notice the request later. A
// canceling job ends as canceled even if it has completed in the meantime: the caller cancels it.
func NextJob(from JobStatus, e JobEvent) (to JobStatus, ok bool) {
	switch {
	case from.Waiting():
		to = nextWaiting(e)
	case from == JobInProgress:
		to = nextInProgress(e)
	case from == JobCanceling:
		to = nextCanceling(e)
	}
	if to == "" {
		return from, false
	}
	return to, true
}

func nextWaiting(e JobEvent) JobStatus {
	switch e {
	case JobEventClaim:
		return JobInProgress
	case JobEventCancelRequested, JobEventCancel:
		return JobCanceled
	case JobEventFail, JobEventSupersede:
		return JobError
	case JobEventComplete, JobEventSuspend:
	}
	return ""
}

func nextInProgress(e JobEvent) JobStatus {
	switch e {
	case JobEventComplete:
		return JobCompleted
	case JobEventFail:
		return JobError
	case JobEventCancelRequested:
		return JobCanceling
	case JobEventSuspend:
		return JobSuspended
	case JobEventClaim, JobEventCancel, JobEventSupersede:
	}
	return ""
}

func nextCanceling(e JobEvent) JobStatus {
	switch e {
	case JobEventCancelRequested: // requested twice
		return JobCanceling
	case JobEventCancel:
		return JobCanceled
	case JobEventFail:
		return JobError
	case JobEventClaim, JobEventComplete, JobEventSuspend, JobEventSupersede:
	}
	return ""
}
