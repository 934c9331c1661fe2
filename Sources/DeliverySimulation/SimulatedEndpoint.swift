/// One endpoint at the simulated provider: its events, its receiver, its log, and the truth about each delivery. It
/// stands still until it is told the time; then everything since happens in order.
struct SimulatedEndpoint: Sendable {
    let id: String
    private(set) var deliveries: [SimulatedDelivery] = []
    private var traffic: SimulatedTraffic
    private var receiver: SimulatedReceiver
    private var log: SimulatedLog
    private let outage: Range<Duration>?
    private let trace: Scenario.RetryTrace
    private var generator: SeededGenerator
    /// The index in `deliveries` by task id, also by the new ids of retries.
    private var places: [String: Int] = [:]

    /// - Parameter outage: events that fail in it are the affected ones; nil for none.
    init(
        id: String, traffic: SimulatedTraffic, receiver: SimulatedReceiver, outage: Range<Duration>?,
        trace: Scenario.RetryTrace, pageSize: Int, seed: UInt64
    ) {
        self.id = id
        self.traffic = traffic
        self.receiver = receiver
        self.outage = outage
        self.trace = trace
        log = SimulatedLog(endpointID: id, pageSize: pageSize)
        generator = SeededGenerator(seed: seed)
    }

    /// Lets all events up to `now` happen.
    mutating func advance(to now: Duration) {
        while let event = traffic.take(until: now) {
            let reception = receiver.receive(event.eventType, at: event.time, using: &generator)
            let known = event.time + reception.takes
            var delivery = SimulatedDelivery(
                number: event.number, eventType: event.eventType, tried: event.time,
                isAffected: !reception.arrives && (outage?.contains(event.time) ?? false),
                hasFailed: !reception.arrives)
            if reception.arrives { delivery.arrive(at: known) }
            let taskID = "\(id).\(event.number)"
            places[taskID] = deliveries.count
            deliveries.append(delivery)
            log.add(SimulatedLog.Row(taskID: taskID, arrives: reception.arrives, time: known), of: delivery)
        }
    }

    /// - Parameter before: the `before` of the page's address; nil for the newest page.
    mutating func page(before: Int?, at now: Duration) -> [UInt8] {
        advance(to: now)
        return log.page(before: before, at: now)
    }

    /// Sends a delivery again.
    ///
    /// - Returns: the task id under which it is logged; nil when there is no such task, or when it is another event.
    mutating func retry(_ taskID: String, event: Int, at now: Duration) -> String? {
        advance(to: now)
        guard let place = places[taskID], deliveries[place].number == event else { return nil }
        let reception = receiver.receive(deliveries[place].eventType, at: now, using: &generator)
        deliveries[place].retries += 1
        if reception.arrives { deliveries[place].arrive(at: now + reception.takes) }
        let delivery = deliveries[place]
        let loggedID =
            switch trace {
            case .sameTaskID, .inPlace: taskID
            case .namedNewID, .unnamedNewID: "\(id).\(delivery.number).r\(delivery.retries)"
            }
        places[loggedID] = place
        log.add(
            SimulatedLog.Row(taskID: loggedID, arrives: reception.arrives, time: now + reception.takes), of: delivery,
            replaces: trace == .inPlace)
        return loggedID
    }
}

extension SimulatedDelivery {
    fileprivate mutating func arrive(at time: Duration) {
        arrived = arrived ?? time
        arrivals += 1
    }
}
