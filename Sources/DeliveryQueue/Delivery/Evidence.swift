/// Proof that a delivery arrived.
package struct Evidence: Sendable, Equatable {
    /// Whose attempt arrived.
    package enum Actor: String, SQLWord, Sendable, CaseIterable {
        case provider, worker, `operator`
    }

    /// What proves the arrival.
    package enum Source: String, SQLWord, Sendable, CaseIterable {
        /// A success in the provider's log.
        case log
        /// A 2xx of the retry call, where `confirm.by: answer` is configured.
        case answer
    }

    package let actor: Actor
    package let source: Source
    /// The task id of the log entry that shows the success; nil when the evidence is an answer.
    package let taskID: String?

    package init(actor: Actor, source: Source, taskID: String?) {
        self.actor = actor
        self.source = source
        self.taskID = taskID
    }
}
