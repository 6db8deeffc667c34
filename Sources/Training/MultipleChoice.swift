import Foundation
import Pipeline
import Primitives

/// A tokenized multiple-choice question.
package struct ChoiceQuestion: Sendable {
  package struct Choice: Sendable {
    /// The tokens of the question, followed by those of the answer.
    package var tokens: [Int32]
    /// The number of tokens of the answer.
    package var scored: Int
    /// Unicode scalars of the answer.
    package var characters: Int
    /// UTF-8 bytes of the answer.
    package var bytes: Int

    package init(tokens: [Int32], scored: Int, characters: Int, bytes: Int) {
      self.tokens = tokens
      self.scored = scored
      self.characters = characters
      self.bytes = bytes
    }
  }

  package var choices: [Choice]
  /// The index of the correct choice.
  package var answer: Int

  package init(choices: [Choice], answer: Int) {
    self.choices = choices
    self.answer = answer
  }
}

/// The scores of one question's choices.
package struct ChoiceScore: Codable, Sendable, Equatable {
  /// The index of the correct choice.
  package var answer: Int
  /// ln p of each answer given the question.
  package var scores: [Double]
  /// The index of the choice with the highest ln p; the first in case of a tie.
  package var best: Int
  /// The same for ln p per character.
  package var bestByCharacter: Int
  /// The same for ln p per UTF-8 byte.
  package var bestByByte: Int

  enum CodingKeys: String, CodingKey {
    case answer, scores
    case best = "acc"
    case bestByCharacter = "acc_norm"
    case bestByByte = "acc_bytes"
  }
}

/// Accuracies on a set of questions, named as in lm-evaluation-harness. Standard errors are, as there, √(s²/n) with s² over n − 1.
package struct ChoiceEvaluation: Codable, Sendable, Equatable {
  package var name: String
  package var questions: Int
  /// The accuracy of guessing; nil in reports of earlier versions.
  package var chance: Double?
  /// Fraction of questions whose correct choice has the highest ln p.
  package var accuracy: Double
  /// Standard error; nil for a single question.
  package var accuracyError: Double?
  /// Wilson's interval of the accuracy, 95 %; nil in reports of earlier versions.
  package var accuracyInterval: [Double]?
  /// Accuracy by ln p per character.
  package var byCharacter: Double
  package var byCharacterError: Double?
  /// Accuracy by ln p per UTF-8 byte.
  package var byByte: Double
  package var byByteError: Double?
  /// Questions whose beginning is cut off, because they exceed the model's positions.
  package var truncated: Int?

  enum CodingKeys: String, CodingKey {
    case name, questions, chance, truncated
    case accuracy = "acc"
    case accuracyInterval = "acc_interval"
    case accuracyError = "acc_stderr"
    case byCharacter = "acc_norm"
    case byCharacterError = "acc_norm_stderr"
    case byByte = "acc_bytes"
    case byByteError = "acc_bytes_stderr"
  }

  package init(name: String, scores: [ChoiceScore]) {
    let count = Double(max(1, scores.count))
    func mean(_ choice: (ChoiceScore) -> Int) -> (Double, Double?) {
      let share = Double(scores.filter { choice($0) == $0.answer }.count) / count
      return (share, scores.count > 1 ? (share * (1 - share) / (count - 1)).squareRoot() : nil)
    }
    self.name = name
    questions = scores.count
    chance = scores.reduce(0.0) { $0 + 1 / Double(max(1, $1.scores.count)) } / count
    (accuracy, accuracyError) = mean(\.best)
    if !scores.isEmpty {
      let interval = Statistics.wilson(scores.filter { $0.best == $0.answer }.count, of: scores.count)
      accuracyInterval = [interval.lowerBound, interval.upperBound]
    }
    (byCharacter, byCharacterError) = mean(\.bestByCharacter)
    (byByte, byByteError) = mean(\.bestByByte)
  }
}

extension Evaluator {
  /// Scores questions as lm-evaluation-harness does: ln p of each answer given the question. If both together exceed the model's positions,
  /// the beginning of the question is truncated.
  package func score(_ questions: [ChoiceQuestion], progress: Pipeline.Progress = .silent) throws -> [ChoiceScore] {
    let documents = questions.flatMap(\.choices).map { choice in
      let tokens = Array(choice.tokens.suffix(sequence + 1))
      return EvaluationDocument(tokens: tokens, bytes: choice.bytes, firstScored: tokens.count - choice.scored)
    }
    var rest = try score(documents, progress: progress)[...]
    return questions.map { question in
      let scores = rest.prefix(question.choices.count).map { -$0.nats }
      rest = rest.dropFirst(question.choices.count)
      func best(_ length: (ChoiceQuestion.Choice) -> Int) -> Int {
        var found = 0, highest = -Double.infinity
        for (index, choice) in question.choices.enumerated() where scores[index] / Double(max(1, length(choice))) > highest {
          (found, highest) = (index, scores[index] / Double(max(1, length(choice))))
        }
        return found
      }
      return ChoiceScore(
        answer: question.answer, scores: Array(scores), best: best { _ in 1 }, bestByCharacter: best(\.characters),
        bestByByte: best(\.bytes))
    }
  }
}
