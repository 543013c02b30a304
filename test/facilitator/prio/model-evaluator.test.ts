import { ModelEvaluator } from '../../../facilitator/prio/model-evaluator.ts';
import { blockEvaluatorContract } from '../../contract/block-evaluator.contract.ts';

blockEvaluatorContract('model', (layout, isFirst) => new ModelEvaluator(layout, isFirst));
