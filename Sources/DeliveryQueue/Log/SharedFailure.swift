/// A failure that the log of an endpoint shows, and that the delivery of another endpoint seems to be about: its
/// keeper.
struct SharedFailure: Equatable {
    /// What its log shows of an arrival.
    enum Arrival: Equatable {
        case none
        /// A success of it or of its keeper.
        case shown
        /// The very entry in which the keeper's log shows that our retry arrived.
        case same
        /// A success of it that the keeper's log does not show, although it was read long enough since.
        case alone
    }

    /// What becomes of it, and whether that shows that the two logs are the same; nil: it does not tell.
    enum End: Equatable {
        /// The keeper's end is to come.
        case waits
        /// It has arrived, or ended with its keeper.
        case closed(areSame: Bool?)
        /// It becomes a delivery of its own.
        case taken(areSame: Bool?)
    }

    let keeper: DeliveryState
    /// Whether the keeper's endpoint is still configured.
    let isKeeperConfigured: Bool
    let arrival: Arrival
    /// Whether its log was read to its end long enough after the keeper's end, or after its call that is open.
    let isReadSince: Bool
    /// Whether the two logs are known to be the same; nil: nobody knows.
    let areSame: Bool?

    /// Decides what becomes of it. In doubt it is a delivery of its own, because nothing may be lost.
    var end: End {
        switch arrival {
        case .alone: return .closed(areSame: false)
        case .same: return .closed(areSame: true)
        case .shown where !keeper.isOpen: return .closed(areSame: nil)
        // The keeper's log may show it in a moment.
        case .shown: return .waits
        case .none: break
        }
        if !isKeeperConfigured || areSame == false {
            let isCalled = keeper == .attempting || keeper == .awaiting
            return isCalled && !isReadSince ? .waits : .taken(areSame: nil)
        }
        switch keeper {
        case .scheduled, .attempting, .awaiting: return .waits
        case .dead: return areSame == true ? .closed(areSame: nil) : .taken(areSame: nil)
        case .delivered: return isReadSince ? .taken(areSame: false) : .waits
        }
    }
}
