import DeliverySimulation

extension ChaosPlan {
    /// - Parameter days: at least one; a third of it is quiet.
    package init(seed: UInt64, days: Int = 3) {
        var dice = SeededGenerator(seed: seed &* 0x2545_f491_4f6c_dd1d &+ 17)
        self.seed = seed
        end = .seconds(86_400 * days)
        chaosEnd = end / 3 * 2
        let overlap = dice.minutes(15...60)
        log = Log(
            shape: dice.pick(Log.Shape.allCases), order: dice.pick(Log.Order.allCases),
            trace: dice.pick(Log.Trace.allCases), pageSize: dice.pick([7, 20, 50]), isCoarse: dice.chance(0.5),
            late: dice.pick([0, 0, 0.1, 0.3]), longestDelay: overlap * 0.8, pending: dice.pick([0, 0, 0.2]),
            tellsChange: dice.chance(0.7))
        callFaults = dice.pick([0, 0.2, 0.5])
        readFaults = dice.pick([0, 0, 0.05, 0.2])
        faults = CallFault.allCases.filter { $0 != .stuck && dice.chance(0.5) }
        drift = dice.chance(0.1) ? dice.pick([-1e-4, 1e-4]) : 0
        usesLogin = dice.chance(0.5)
        tokenLife = dice.minutes(30...720)
        addReceivers(&dice)
        addEvents(&dice)
        addTrouble(&dice)
        addClock(&dice)
        addSteps(&dice)
        addVariants(&dice, overlap: overlap)
        // A generator of its own, so that each seed keeps the rest of its plan.
        var more = SeededGenerator(seed: seed ^ 0x57ac)
        if more.chance(0.3) { faults.append(.stuck) }
        addTwins()
        addTime()
        addStandingDate()
        addLies()
        addHistory()
        addSpells()
        addFrequentPolls()
        addForeignNames()
        addFirewall()
        addMirror()
        guard more.chance(0.5) else { return }
        for _ in 0..<more.int(1...4) { transactionKills[more.int(0...20)] = more.int(0...4) }
    }

    /// Half the providers tell the time in their answers; then our clock may also be far ahead.
    private mutating func addTime() {
        var dice = SeededGenerator(seed: seed ^ 0x71e5)
        tellsTime = dice.chance(0.5)
        guard tellsTime, clock.isEmpty, dice.chance(0.3) else { return }
        let ahead = dice.pick([3_600, 86_400, 365 * 86_400, -365 * 86_400])
        let from = dice.chance(0.3) ? .zero : dice.time(.zero..<chaosEnd / 2)
        clock = [(from, .seconds(ahead)), (dice.time(from + .seconds(600)..<chaosEnd), .zero)]
    }

    /// Only where our own clock is right: it is the one to go by then.
    private mutating func addStandingDate() {
        var dice = SeededGenerator(seed: seed ^ 0xda7e)
        guard tellsTime, clock.isEmpty, drift == 0, dice.chance(0.5) else { return }
        let from = dice.time(.zero..<chaosEnd - .seconds(600))
        standing = StandingDate(range: from..<min(chaosEnd, from + dice.minutes(10...720)), hasAge: dice.chance(0.5))
    }

    /// Events that equal others in everything but their task id and time, in logs that show retries under their own
    /// task ids: in another log nobody could tell whose a row is.
    private mutating func addTwins() {
        var dice = SeededGenerator(seed: seed ^ 0x7717)
        guard log.trace == .sameID || log.trace == .inPlace, dice.chance(0.5) else { return }
        for number in 0..<dice.int(1...8) {
            var twin = dice.pick(events)
            twin.taskID = twin.taskID.first == "\"" ? "\"twin-\(number)\"" : "\(200_000 + number)"
            twin.time = min(twin.time + dice.minutes(1...180), chaosEnd)
            (twin.secondTry, twin.isGarbled) = (nil, false)
            events.append(twin)
        }
    }

    private mutating func addReceivers(_ dice: inout SeededGenerator) {
        for number in 0..<dice.int(1...3) {
            let isNumber = dice.chance(0.3)
            let id = isNumber ? "\(70 + number)" : "ep-\(number)"
            var receiver = Receiver(
                id: id, webhookID: dice.chance(0.2) ? nil : isNumber ? id : "\"\(id)\"",
                failing: dice.pick([0.1, 0.3, 0.6]))
            for _ in 0..<dice.int(0...3) {
                let from = dice.time(.zero..<chaosEnd - .seconds(600))
                // Down for long, or flapping.
                let length = dice.chance(0.5) ? dice.minutes(1...10) : dice.minutes(30...600)
                receiver.isDown.append(from..<min(chaosEnd, from + length))
            }
            receivers.append(receiver)
        }
    }

    private static let eventTypes = ["profile_update", "document_upload", "profile_status_change", "brand_new.type"]

    private mutating func addEvents(_ dice: inout SeededGenerator) {
        let areNumbers = dice.chance(0.3)
        let customers = dice.int(3...40)
        for number in 0..<dice.int(10...36) {
            let time = dice.time(.zero..<chaosEnd)
            let customer = dice.int(0...customers)
            events.append(
                Event(
                    endpoint: dice.int(0...receivers.count - 1), time: time, eventType: dice.pick(Self.eventTypes),
                    taskID: areNumbers ? "\(100_000 + number)" : "\"t-\(number)\"",
                    customerID: customer % 5 == 0 ? "null" : customer % 2 == 0 ? "\(customer)" : "\"c-\(customer)\"",
                    body: Self.body(number, &dice), isPoison: dice.chance(0.06),
                    secondTry: dice.chance(0.15) ? time + dice.minutes(2...240) : nil, isGarbled: dice.chance(0.03)))
        }
        events.sort { $0.time < $1.time }
    }

    /// Odd, but valid JSON, different for each event.
    private static func body(_ number: Int, _ dice: inout SeededGenerator) -> String {
        switch dice.int(0...4) {
        case 0: "{\"event\":\(number)}"
        case 1: "{ \"n\" : \(number).50e+2 , \"big\":123456789012345678901234567890, \"z\":[ [ ],{} ]  }"
        case 2: "\"event \(number) \\u00e9\\/ \\\"q\\\" \""
        case 3: "[\(number),null , true]"
        default: "{\"body\": \"Zo\u{eb} \u{1F600}\", \"task_id\": \"not \(number)\", \"n\": -0.0}"
        }
    }

    private mutating func addTrouble(_ dice: inout SeededGenerator) {
        for _ in 0..<dice.int(0...2) {
            let from = dice.time(.zero..<chaosEnd)
            outages.append((from..<min(chaosEnd, from + dice.minutes(5...240)), dice.pick(OutageKind.allCases)))
        }
        guard dice.chance(0.3) else { return }
        let from = dice.time(.zero..<chaosEnd)
        refusesLogin.append(from..<min(chaosEnd, from + dice.minutes(5...180)))
    }

    /// The clock moves by an hour to and fro, or once a year back and then right again.
    private mutating func addClock(_ dice: inout SeededGenerator) {
        guard dice.chance(0.3) else { return }
        if dice.chance(0.2) {
            let from = dice.time(.seconds(3_600)..<chaosEnd / 2)
            clock = [(from, .seconds(-365 * 86_400)), (dice.time(from + .seconds(600)..<chaosEnd), .zero)]
            return
        }
        for _ in 0..<dice.int(1...3) {
            clock.append((dice.time(.seconds(3_600)..<chaosEnd), .seconds(dice.pick([-3_600, 3_600, 0, 120, -120]))))
        }
        clock.sort { $0.time < $1.time }
    }

    private mutating func addSteps(_ dice: inout SeededGenerator) {
        for _ in 0..<dice.int(0...5) {
            let pause = dice.pick([.zero, .seconds(5), dice.minutes(1...30), dice.minutes(60...400)])
            steps.append((dice.time(.zero..<chaosEnd), .kill(afterJobs: dice.int(0...400), pause: pause)))
        }
        for _ in 0..<dice.int(0...2) {
            steps.append((dice.time(.zero..<chaosEnd), .stop(pause: dice.minutes(0...60))))
        }
        for _ in 0..<dice.int(0...6) {
            steps.append((dice.time(.zero..<chaosEnd), .operate(dice.pick(OperatorDeed.allCases))))
        }
        for _ in 0..<dice.int(0...2) {
            steps.append((dice.time(.zero..<chaosEnd), .reload(variant: dice.int(0...2))))
        }
        for _ in 0..<dice.int(0...4) {
            let point = dice.int(0...2)
            callKills[dice.int(0...30)] =
                point == 0 ? .beforeItIsSent : point == 1 ? .underWay : .answered(jobs: dice.int(0...12))
        }
        steps.append((chaosEnd, .reload(variant: 3)))
        var time = chaosEnd + .seconds(60)
        while time < end {
            steps.append((time, .operate(.resumeAll)))
            time += .seconds(7_200)
        }
        steps.sort { $0.time < $1.time }
    }
}
