import ArgumentParser
import DeliveryQueue

/// The options that select deliveries. Each command adds an option for the reason of death: `list` calls it `--reason`,
/// which in other commands is the operator's own reason.
struct FilterOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Only deliveries in this state; may be repeated.", valueName: "state"))
    var state: [DeliveryState] = []

    @Option(help: ArgumentHelp("Only deliveries of this event type; may be repeated.", valueName: "name"))
    var eventType: [String] = []

    @Option(help: ArgumentHelp("Only deliveries of this endpoint (name or id).", valueName: "endpoint"))
    var endpoint: String?

    @Option(help: ArgumentHelp("Only deliveries of this customer id.", valueName: "id"))
    var customer: String?

    @Option(help: "Only deliveries that first failed at this time or later: a time (UTC) or an age such as 24h.")
    var since: TimeArgument?

    @Option(help: "Only deliveries that first failed before this time: a time (UTC) or an age such as 30m.")
    var until: TimeArgument?

    /// Whether any of the options is given.
    var isGiven: Bool {
        !state.isEmpty || !eventType.isEmpty || endpoint != nil || customer != nil || since != nil || until != nil
    }

    /// - Throws: `ValidationError` when the database has no such endpoint.
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
    /// - Throws: `ValidationError` when the database has no endpoint of that name or id.
    func knownEndpointID(named name: String) throws -> String {
        guard let id = try endpointID(named: name) else {
            throw ValidationError("there is no endpoint \(name) in the database; `redeliver status` lists them")
        }
        return id
    }
}
