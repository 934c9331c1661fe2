import DeliveryQueue

/// Decides which page of a log is asked for next while requests are limited. Pure.
///
/// The purpose that matters most goes first, but each one that waits gets at least every fifth request, also when all
/// five wait. The endpoints of one purpose take turns.
struct RequestQueue: Sendable {
    struct Ticket: Sendable, Equatable {
        let number: Int
        let purpose: PagePurpose
        let endpointID: String
    }

    private var waiting: [Ticket] = []
    /// Requests of others since a purpose began to wait, or had its last one.
    private var passedOver: [PagePurpose: Int] = [:]
    /// When each endpoint had its last request, by the number of requests before.
    private var served: [String: Int] = [:]
    private var tickets = 0
    private var requests = 0

    /// So many requests of others in a row are enough.
    private static let patience = 4

    mutating func add(_ purpose: PagePurpose, of endpointID: String) -> Ticket {
        tickets += 1
        let ticket = Ticket(number: tickets, purpose: purpose, endpointID: endpointID)
        waiting.append(ticket)
        return ticket
    }

    /// Whose request is next; nil: nobody waits.
    var next: Ticket? {
        let purposes = PagePurpose.allCases.filter { purpose in waiting.contains { $0.purpose == purpose } }
        guard let first = purposes.first else { return nil }
        let others = purposes.dropFirst().sorted { patience(of: $0) < patience(of: $1) }
        // After this request the others take turns, the least patient one first, and none of them may be late.
        let leavesTime = others.enumerated().allSatisfy { patience(of: $0.element) > $0.offset }
        let mostUrgent = purposes.min { patience(of: $0) < patience(of: $1) }
        let purpose = leavesTime ? first : mostUrgent ?? first
        return waiting.filter { $0.purpose == purpose }.min {
            (served[$0.endpointID, default: 0], $0.number) < (served[$1.endpointID, default: 0], $1.number)
        }
    }

    /// How many requests of others a purpose may still wait for.
    private func patience(of purpose: PagePurpose) -> Int { Self.patience - passedOver[purpose, default: 0] }

    /// A ticket's request is made.
    mutating func take(_ ticket: Ticket) {
        remove(ticket)
        requests += 1
        served[ticket.endpointID] = requests
        passedOver[ticket.purpose] = 0
        for purpose in Set(waiting.map(\.purpose)) where purpose != ticket.purpose {
            passedOver[purpose, default: 0] += 1
        }
    }

    /// A ticket's request is not wanted any more.
    mutating func remove(_ ticket: Ticket) {
        waiting.removeAll { $0 == ticket }
    }
}
