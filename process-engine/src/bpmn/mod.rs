//! Reading BPMN 2.0 models.
