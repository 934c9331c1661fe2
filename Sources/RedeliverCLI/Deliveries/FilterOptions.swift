import ArgumentParser
import DeliveryQueue

/// The options that say which deliveries are meant. The reason for which they are dead is beside them: `--reason` says it
/// where nothing is done to them, elsewhere that is the operator's own.
struct FilterOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Only in this state; may be repeated.", valueName: "state"))
    var state: [DeliveryState] = []

    @Option(help: ArgumentHelp("Only of this event type; may be repeated.", valueName: "name"))
    var eventType: [String] = []

    @Option(help: ArgumentHelp("Only of this endpoint: its name or id.", valueName: "endpoint"))
    var endpoint: String?

    @Option(help: ArgumentHelp("Only of this customer id.", valueName: "id"))
    var customer: String?

    @Option(help: "Only what first failed then or later: a time (UTC) or an age such as 24h.")
    var since: TimeArgument?

    @Option(help: "Only what first failed before then: a time (UTC) or an age such as 30m.")
    var until: TimeArgument?

    /// Whether anything is asked for.
    var isGiven: Bool {
        !state.isEmpty || !eventType.isEmpty || endpoint != nil || customer != nil || since != nil || until != nil
    }

    /// - Throws: `ValidationError` when the database knows no such endpoint.
    func filter(in reader: QueueReader, reasons: [DeadReason], at now: Timestamp) throws -> DeliveryFilter {
        var filter = DeliveryFilter()
        filter.states = state
        filter.reasons = reasons
        filter.eventTypes = eventType
        filter.endpointID = try endpoint.map { try reader.knownEndpointID(named: $0) }
        filter.customerID = customer
        filter.since = since?.time(at: now)
        filter.until = until?.time(at: now)
        return filter
    }
}

extension QueueReader {
    /// - Throws: `ValidationError` when the database knows no endpoint of that name or id.
    func knownEndpointID(named name: String) throws -> String {
        guard let id = try endpointID(named: name) else {
            throw ValidationError("there is no endpoint \(name) in the database; `redeliver status` lists them")
        }
        return id
    }
}
