import ArgumentParser
import Primitives
import Storage

/// The options that set the properties of library configurations, by property name: `["learningRate": "--lr"]`.
typealias PropertyFlags = [String: String]

extension WeirCommand {
  var propertyFlags: PropertyFlags { [:] }

  /// Runs `body` and replaces property names in its errors by the flags of this command, because libraries do not know flags.
  func namingFlags<R>(_ body: () throws -> R) throws -> R {
    do { return try body() } catch var error as WeirError {
      // A path of the user may happen to be spelled like a property.
      guard let flag = propertyFlags[error.place], !inputs.contains(error.place), !Files.exists(error.place) else { throw error }
      error.place = flag
      throw error
    }
  }

  /// Checks a configuration while the command line is parsed: an error is one of usage.
  func usage(_ check: () throws -> Void) throws {
    do { try namingFlags(check) } catch let error as WeirError { throw ValidationError(error.description) }
  }
}

extension PropertyFlags {
  static func + (flags: PropertyFlags, others: PropertyFlags) -> PropertyFlags { flags.merging(others) { $1 } }

  /// The shape of a loader's batches.
  static let batch: PropertyFlags = ["rows": "--batch-size", "sequence": "--sequence"]
}
