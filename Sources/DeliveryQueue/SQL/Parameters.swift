/// The values of a statement's parameters. Up to two stand in an array, in the order of the statement's `?`; more than
/// two stand in a dictionary, by the names that the statement has as `:name`.
///
/// Names in the order in which the statement first uses them are found fastest.
package struct Parameters: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    /// Empty when the values go by position.
    private(set) var names: [StaticString] = []
    private(set) var values: [SQLValue]

    package init(arrayLiteral values: any SQLConvertible...) {
        self.values = values.map(\.sqlValue)
    }

    package init(dictionaryLiteral named: (StaticString, any SQLConvertible)...) {
        names = named.map(\.0)
        values = named.map(\.1.sqlValue)
    }

    package init(_ values: [SQLValue]) {
        self.values = values
    }

    var isEmpty: Bool { values.isEmpty }

    /// Adds a named value.
    package mutating func add(_ name: StaticString, _ value: any SQLConvertible) {
        names.append(name)
        values.append(value.sqlValue)
    }

    package static func + (first: Parameters, second: Parameters) -> Parameters {
        var all = first
        all.names += second.names
        all.values += second.values
        return all
    }
}
