import CKernels
import Foundation

/// The points of a fit as columns, padded to a multiple of 8 with copies of the last point (`weir_law.h`).
package struct LawColumns: Sendable {
  package typealias Column = UnsafeMutablePointer<Double>

  let points: [LawPoint]
  let logN: [Double]
  let logD: [Double]
  /// ln(D + D′).
  let logTokens: [Double]
  let dPrime: [Double]

  /// The padded number of points.
  package var count: Int { points.count }

  /// - Parameter points: at least one.
  package init(_ points: [LawPoint]) {
    let padding = (8 - points.count % 8) % 8
    self.points = points + Array(points.suffix(1).flatMap { Array(repeating: $0, count: padding) })
    logN = self.points.map(\.logN)
    logD = self.points.map(\.logD)
    logTokens = self.points.map { log($0.d + $0.dPrime) }
    dPrime = self.points.map(\.dPrime)
  }

  /// e^(−exponent·logs), written to `out`.
  func powers(_ logs: [Double], _ exponent: Double, _ out: Column) { weir_law_exponentials(logs, -exponent, out, count) }
}
